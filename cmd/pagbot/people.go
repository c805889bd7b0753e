package main

import (
	"errors"
	"net/url"

	"github.com/spf13/cobra"

	"pagbot/internal/app"
)

func peopleCommand() *cobra.Command {
	c := &cobra.Command{Use: "people", Short: "Show and manage whose account is whose, and who is signed in",
		Long: "Asks the bot that serves on this machine, through the socket in its state\ndirectory, which only its own user may open."}
	c.AddCommand(peopleList(), tellCommand("allow", "allow SLACK-USER", "Let a Slack user bind one more account, within a day"),
		tellCommand("unbind", "unbind SLACK-USER [OBJECT-ID]", "Forget a Slack user's bindings and sessions, or one account's"), peopleSignOut())
	return c
}

func peopleList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List everybody's accounts", Args: cobra.NoArgs}
	state, asJSON := stateFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir, err := state()
		if err != nil {
			return err
		}
		b, err := app.AskPeople(c.Context(), dir)
		if err != nil {
			return err
		}
		if *asJSON {
			_, err = c.OutOrStdout().Write(b)
			return err
		}
		return app.PrintPeople(c.OutOrStdout(), b)
	}
	return c
}

// tellCommand is a command about one Slack user, and perhaps one account.
func tellCommand(what, use, short string) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short}
	tell := teller(c, what)
	c.RunE = func(c *cobra.Command, args []string) error {
		most := 1
		if what == "unbind" {
			most = 2
		}
		if len(args) < 1 || len(args) > most {
			return errors.New(what + " wants a Slack user's id: pagbot people list shows them")
		}
		about := url.Values{"slack": args[:1]}
		if len(args) == 2 {
			about.Set("object", args[1])
		}
		return tell(c, about)
	}
	return c
}

func peopleSignOut() *cobra.Command {
	c := &cobra.Command{Use: "signout SLACK-USER | --all", Short: "Destroy the tokens that are kept for a Slack user, or for everybody"}
	all := c.Flags().Bool("all", false, "everybody")
	tell := teller(c, "signout")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *all && len(args) == 0:
			return tell(c, url.Values{"all": {"yes"}})
		case !*all && len(args) == 1:
			return tell(c, url.Values{"slack": args})
		}
		return errors.New("signout wants a Slack user's id, or --all: pagbot people list shows them")
	}
	return c
}

func keysCommand() *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "Manage the keys that seal kept tokens"}
	rotate := &cobra.Command{Use: "rotate", Short: "Make a new key, seal everything anew with it, and drop the older ones", Args: cobra.NoArgs,
		Long: "Whatever interrupts it, everything stays readable; running it again finishes it.\n\nTo change signin.key itself: put the new one there and the present one into\nsignin.old_key, restart, rotate, and leave old_key out a day later."}
	tell := teller(rotate, "rotate")
	rotate.RunE = func(c *cobra.Command, _ []string) error { return tell(c, nil) }
	c.AddCommand(rotate)
	return c
}

// teller has the serving process do something, and shows what came of it.
func teller(c *cobra.Command, what string) func(*cobra.Command, url.Values) error {
	state, asJSON := stateFlag(c), jsonFlag(c)
	return func(c *cobra.Command, about url.Values) error {
		dir, err := state()
		if err != nil {
			return err
		}
		b, err := app.TellPeople(c.Context(), dir, what, about)
		if err != nil {
			return err
		}
		if *asJSON {
			_, err = c.OutOrStdout().Write(b)
			return err
		}
		return app.PrintTold(c.OutOrStdout(), what, b)
	}
}

func jsonFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("json", false, "print what the bot answers, for scripts")
}
