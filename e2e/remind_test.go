package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
)

// TestNobodyAnswers: a request that waits is brought to mind three times and
// no more, the requester hears of it before PIM drops it, and withdraws it with
// the button.
func TestNobodyAnswers(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		ask := w.sees(demo.Requester, w.Channel.ID, time.Minute, "devops-admins", "Confirm in browser")
		w.confirms(demo.Requester, w.browser(), w.link(ask))
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "An approver is needed")

		w.sees(demo.Approver, w.Channel.ID, 31*time.Minute, "still waits for", "@approver", "can decide")
		w.sees(demo.Approver, w.Channel.ID, 91*time.Minute, "Nobody has decided yet")
		w.sees(demo.Approver, w.Channel.ID, 21*time.Hour, "PIM drops the request", "my last reminder")
		mine := w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Minute, "PIM drops it", "Withdraw")
		if text := w.read(demo.Approver, w.Channel.ID); strings.Count(text, "can decide") != 3 {
			t.Errorf("reminded otherwise than three times:\n%s", text)
		}
		w.presses(demo.Requester, mine, "finish")
		w.fills(demo.Requester, "", "will be withdrawn")
		again := w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Minute, "not withdrawn yet", "Confirm in browser")
		w.confirms(demo.Requester, w.browser(), w.link(again))
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "withdrawn", "Nothing was given")
	})
}
