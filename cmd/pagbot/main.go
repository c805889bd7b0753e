// Command pagbot serves the bot, shows what it does, and demonstrates it on
// simulated worlds.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"pagbot/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks twice does not want to wait
	if err := root().ExecuteContext(ctx); err != nil {
		for _, line := range app.Lines(err) {
			fmt.Fprintln(os.Stderr, "pagbot:", line)
		}
		os.Exit(1)
	}
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "pagbot",
		Short: "Privileged access from Slack: Entra PIM for Groups, and when it takes effect downstream",
		// Errors are one line that says what to do; usage would bury it.
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.")
		return fmt.Errorf("%s: %s --help shows what can be said", text, c.CommandPath())
	})
	c.AddCommand(serveCommand(), demoCommand(), checkCommand(), statusCommand(), journalCommand(), latencyCommand(), peopleCommand(), keysCommand(), versionCommand())
	return c
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), app.Version()) }}
}

func statusCommand() *cobra.Command {
	c := &cobra.Command{Use: "status", Short: "Show the serving bot: connections, open activations", Args: cobra.NoArgs,
		Long: "Asks the bot that serves on this machine, through the socket in its state\ndirectory, which only its own user may open: how its connections to Slack are,\nand which activations are open."}
	state := stateFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir, err := state()
		if err != nil {
			return err
		}
		b, err := app.AskStatus(c.Context(), dir)
		if err != nil {
			return err
		}
		return app.PrintStatus(c.OutOrStdout(), b)
	}
	return c
}

func journalCommand() *cobra.Command {
	c := &cobra.Command{Use: "journal ID", Short: "Tell one activation as a story", Args: oneID,
		Long: "Tells everything that happened to one activation, open or closed, a line an\nevent, with the time since the one before. The IDs of open ones are in pagbot status."}
	state := stateFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		dir, err := state()
		if err != nil {
			return err
		}
		b, err := app.AskJournal(c.Context(), dir, args[0])
		if err == nil {
			_, err = c.OutOrStdout().Write(b)
		}
		return err
	}
	return c
}

func oneID(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("journal wants the ID of one activation: pagbot status lists the open ones")
	}
	return nil
}

// stateFlag lets a command find the serving process, by its configuration or
// by its state directory.
func stateFlag(c *cobra.Command) func() (string, error) {
	config := c.Flags().String("config", "pagbot.yaml", "configuration of the serving process")
	state := c.Flags().String("state", "", "its state directory, instead of --config")
	return func() (string, error) {
		if *state != "" {
			return *state, nil
		}
		cfg, err := app.Load(*config)
		if err != nil {
			return "", err
		}
		return cfg.StateDir(), nil
	}
}
