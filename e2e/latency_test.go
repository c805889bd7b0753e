package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/engine"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
	"pagbot/store"
)

// learned puts lives of the days before into the store, of which Azure DevOps
// took 20 to 25 minutes to follow, and 30 to 35 to forget.
func (w *town) learned(n int) {
	w.meddle(func(db *store.Bolt) error {
		var t store.Turn
		for i := range n {
			from := time.Now().Add(-time.Duration(i+1) * 24 * time.Hour)
			end := from.Add(2 * time.Hour)
			span := func(s activation.State, turn time.Time, m int) activation.Span {
				return activation.Span{State: s, Level: activation.L2, After: turn.Add(time.Duration(m) * time.Minute), By: turn.Add(time.Duration(m+5) * time.Minute)}
			}
			a := activation.Activation{ID: fmt.Sprint("old", i), Seq: 9, Phase: activation.Closed, Group: activation.Group{ID: w.Groups[demo.Releasers].ID}, From: from, Ended: end,
				Targets: []activation.Target{{ID: "devops", Level: activation.L2, Grant: span(activation.Effective, from, 20), Removal: span(activation.Gone, end, 30)}}}
			body, err := json.Marshal(a)
			if err != nil {
				return err
			}
			t.Docs = append(t.Docs, store.Doc{Kind: "activation", Key: a.ID, Index: []string{engine.Day(from)}, Body: body})
		}
		return db.Commit(w.t.Context(), t)
	})
}

// TestLatency: what earlier activations taught is told to the next who waits,
// and what that one teaches is drawn with the rest for whoever asks, also after
// a restart.
func TestLatency(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		r := demo.Requester
		dm := w.Person(r).DM()
		w.answered(r, `/pag latency nonsense`, "I know no group or system “nonsense”")
		w.learned(6)
		w.gets(demo.Releasers, "2h")
		w.sees(r, dm, time.Minute, "You have release-managers", "How long it takes: Azure DevOps contoso usually 20–25 min here, 6 seen")
		w.sees(r, w.Channel.ID, time.Minute, "has release-managers", "How long it takes: Azure DevOps")
		w.sees(r, dm, 3*time.Hour, "ended at", "How long it takes to go: Azure DevOps contoso usually 30–35 min here, 6 seen")
		w.sees(r, dm, 3*time.Hour, "over and gone")
		for range 2 { // from what the life told, and from the store
			w.answered(r, `/pag latency Azure DevOps contoso`, "Azure DevOps contoso, the last 30 days", "Works after activation: usually", "(7 seen)", "Gone after the end: usually", "The picture is in our direct messages")
			w.pass(time.Minute) // it is drawn and sent after the words
			w.stop()
			w.start()
			w.pass(time.Minute)
		}
		w.answered(r, `/pag latency release-managers`, "all systems for release-managers", "Azure DevOps contoso: works: usually", "Entra ID: listed")
		var sent []slack.File
		for _, m := range w.Person(r).Messages(dm) {
			sent = append(sent, m.Files...)
		}
		if len(sent) != 3 || sent[0].Filetype != "png" || sent[0].Size < 10_000 {
			t.Errorf("sent %+v", sent)
		}
	})
}
