package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pagbot/engine"
	"pagbot/internal/app"
)

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the bot", Args: cobra.NoArgs,
		Long: "Runs the bot until SIGTERM or SIGINT; what was taken in is finished first. At\nthe start it asks Slack and Entra for everything that it will need; whatever is\nmissing is said in one line each, and it ends with exit code 1.\n\nThe configuration is explained in pagbot.example.yaml."}
	config := c.Flags().String("config", "pagbot.yaml", "configuration file")
	verbose := c.Flags().Bool("verbose", false, "log every step, for finding out what is wrong")
	// The demo's worlds may run faster than the machine; a real Entra does not,
	// so this is hidden.
	world := c.Flags().String("world", "", "")
	_ = c.Flags().MarkHidden("world")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := app.Load(*config)
		if err != nil {
			return err
		}
		clock, err := worldClock(*world)
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

// worldFlag is a clock as the hidden flag writes it.
func worldFlag(c engine.Clock) string {
	began, epoch, speed := c.Origin()
	return fmt.Sprintf("%s,%s,%g", began.Format(time.RFC3339Nano), epoch.Format(time.RFC3339Nano), speed)
}

// worldClock reads what worldFlag wrote; empty: the machine's clock.
func worldClock(flag string) (engine.Clock, error) {
	if flag == "" {
		return engine.RealClock(), nil
	}
	parts := strings.Split(flag, ",")
	if len(parts) != 3 {
		return engine.Clock{}, errors.New("--world wants a moment, the world's time then, and a speed")
	}
	began, err1 := time.Parse(time.RFC3339Nano, parts[0])
	epoch, err2 := time.Parse(time.RFC3339Nano, parts[1])
	speed, err3 := strconv.ParseFloat(parts[2], 64)
	if err := errors.Join(err1, err2, err3); err != nil || speed <= 0 {
		return engine.Clock{}, fmt.Errorf("--world: %w", err)
	}
	return engine.SharedClock(began, epoch, speed), nil
}

// serve runs the bot until the context ends; to be told to stop is no error.
func serve(ctx context.Context, cfg *app.Config, o app.Options) error {
	a, err := app.Open(ctx, cfg, o)
	if err == nil {
		defer a.Close()
		err = a.Start(ctx)
	}
	if err == nil {
		err = a.Run(ctx)
	} else if ctx.Err() != nil {
		return nil // stopped before it served: what broke off says nothing
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
