package graph

import (
	"testing"
	"time"

	"pagbot/activation"
)

func TestSubmitIsActivatedOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, all := w.through(w.asked())
		if len(all) != 1 || a.Phase != activation.Provisioning {
			t.Fatalf("%d attempts, phase %s: %+v", len(all), a.Phase, all[0])
		}
		q := a.Request
		if q.Kind() != activation.Granted || q.Justification != "Investigating INC0012345 [pag 7F3K]" || q.Ticket != "INC0012345" ||
			q.Length != activation.Duration(2*time.Hour) || q.Action != selfActivate || q.Access != activation.Member || q.Person.Object != w.requester.ID {
			t.Errorf("request %+v", q)
		}
		time.Sleep(5 * time.Second)
		i, err := w.reader.instanceOf(t.Context(), a)
		w.must(err)
		if i == nil || i.Ends.Sub(i.From) != 2*time.Hour {
			t.Errorf("instance %+v", i)
		}
		if n := w.creates("selfActivate"); n != 1 {
			t.Errorf("%d creates", n)
		}
	})
}
