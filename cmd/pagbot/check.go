package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pagbot/internal/app"
)

func checkCommand() *cobra.Command {
	c := &cobra.Command{Use: "check", Short: "Ask Slack, Entra and every target once, and say what is worth knowing", Args: cobra.NoArgs,
		Long: "Asks Slack, Entra and every target for what a serving bot will need, changes\nnothing and posts nothing. What would keep it from serving is an error; what is\nknown to surprise people about a group is a warning. It may run beside a bot\nthat serves."}
	config := c.Flags().String("config", "pagbot.yaml", "configuration file")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := app.Load(*config)
		if err != nil {
			return err
		}
		worth, err := app.Examine(c.Context(), cfg, app.Options{})
		for _, line := range worth {
			fmt.Fprintln(c.OutOrStdout(), "!", line)
		}
		if err == nil {
			fmt.Fprintf(c.OutOrStdout(), "Nothing here would keep a bot from serving; %d to know.\n", len(worth))
		}
		return err
	}
	return c
}
