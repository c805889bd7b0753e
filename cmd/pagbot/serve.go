package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"pagbot/engine"
	"pagbot/internal/app"
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
		cfg, err := app.Load(*config)
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
		return serve(c.Context(), cfg, app.Options{Clock: clock, Log: log})
	}
	return c
}

// worldClock is the clock that --world-epoch and --world-speed ask for.
func worldClock(epoch string, speed float64) (engine.Clock, error) {
	if epoch == "" && speed == 1 {
		return engine.RealClock(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, epoch)
	if err != nil || speed <= 0 {
		return engine.Clock{}, errors.New("--world-epoch wants a time, --world-speed a positive number")
	}
	return engine.ScaledClock(t, speed), nil
}

// serve runs the bot until the context ends.
func serve(ctx context.Context, cfg *app.Config, o app.Options) error {
	a, err := app.Open(ctx, cfg, o)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Check(ctx); err != nil {
		return err
	}
	if err := a.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
