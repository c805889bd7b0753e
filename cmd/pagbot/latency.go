package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"pagbot/internal/app"
)

func latencyCommand() *cobra.Command {
	c := &cobra.Command{Use: "latency", Short: "Show how long targets take to follow, and whether that is soon enough", Args: cobra.NoArgs,
		Long: "Shows what the serving bot has measured: how long after an activation access\ntook effect in each target, how long after its end it was gone, and whether the\nrequirements of the configuration are met. docs/latency.md says how to read it."}
	state := stateFlag(c)
	q := app.LatencyQuery{As: "table"}
	c.Flags().StringVar(&q.Group, "group", "", "only activations of this group")
	c.Flags().StringVar(&q.Target, "target", "", "only this target, by its id in the configuration")
	c.Flags().IntVar(&q.Days, "days", 30, "how many days back")
	csv := c.Flags().Bool("csv", false, "print every measurement as CSV")
	json := c.Flags().Bool("json", false, "print totals and every measurement as JSON")
	png := c.Flags().String("png", "", "draw a picture into this file")
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case *csv && *json, *png != "" && (*csv || *json):
			return errors.New("--csv, --json and --png: name one of them")
		case *csv:
			q.As = "csv"
		case *json:
			q.As = "json"
		case *png != "":
			q.As = "png"
		}
		dir, err := state()
		if err != nil {
			return err
		}
		b, err := app.AskLatency(c.Context(), dir, q)
		if err != nil {
			return err
		}
		if *png != "" {
			if err := os.WriteFile(*png, b, 0o644); err != nil {
				return fmt.Errorf("the picture can't be written: %w", err)
			}
			return nil
		}
		_, err = c.OutOrStdout().Write(b)
		return err
	}
	return c
}
