package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"pagbot/engine"
)

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the bot", Args: cobra.NoArgs}
	config := c.Flags().String("config", "pagbot.yaml", "configuration file")
	verbose := c.Flags().Bool("verbose", false, "log more")
	// The demo's separate worlds may run faster than the machine; a real Entra
	// does not, so these are hidden.
	epoch := c.Flags().String("world-epoch", "", "")
	speed := c.Flags().Float64("world-speed", 1, "")
	_ = c.Flags().MarkHidden("world-epoch")
	_ = c.Flags().MarkHidden("world-speed")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := LoadConfig(*config)
		if err != nil {
			return err
		}
		clock, err := worldClock(*epoch, *speed)
		if err != nil {
			return err
		}
		level := slog.LevelInfo
		if *verbose {
			level = slog.LevelDebug
		}
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
		return serve(c.Context(), cfg, clock, log)
	}
	return c
}

// serve builds the bot and runs it until the context ends.
func serve(ctx context.Context, cfg *Config, clock engine.Clock, log *slog.Logger) error {
	a, err := build(ctx, cfg, clock, log)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.check(ctx); err != nil {
		return err
	}
	err = a.run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("stopped: %w", err)
	}
	return nil
}
