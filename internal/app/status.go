package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

func (a *App) status(ctx context.Context) (statusReport, error) {
	s := statusReport{Version: Version(), Since: a.began, Mode: a.mode(), Slack: a.loop.Health()}
	open, err := a.Engine.Find(ctx, "open")
	for _, o := range open {
		s.Open = append(s.Open, openLine{o.ID, o.Phase, o.Person.Name, o.Group.Name, string(o.Access), o.Ends})
	}
	return s, err
}

// PrintStatus shows a person what the serving process says of itself.
func PrintStatus(w io.Writer, b []byte) error {
	var s statusReport
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	fmt.Fprintf(w, "pagbot %s, serving since %s, mode: %s\n", s.Version, s.Since.Format("2006-01-02 15:04:05"), s.Mode)
	live := 0
	for _, c := range s.Slack.Connections {
		if c.State == "live" {
			live++
		}
	}
	fmt.Fprintf(w, "Slack: %d of %d connections live, %d envelopes, %d unacknowledged, %d suspected ghosts\n", live, s.Slack.Wanted, s.Slack.Envelopes, s.Slack.Unacked, s.Slack.Ghosts)
	if s.Slack.Alarm != "" {
		fmt.Fprintln(w, "! "+s.Slack.Alarm)
	}
	if len(s.Open) == 0 {
		fmt.Fprintln(w, "No open activations.")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tPHASE\tWHO\tGROUP\tACCESS\tENDS")
	for _, o := range s.Open {
		ends := ""
		if !o.Ends.IsZero() {
			ends = o.Ends.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Phase, o.Who, o.Group, o.Access, ends)
	}
	return t.Flush()
}
