package e2e

import (
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
)

// TestAttackSwitchOfAnotherPair mixes the links of two switches, and the deeds of
// two rows: what one page has shown is done for nothing else.
func TestAttackSwitchOfAnotherPair(t *testing.T) {
	inTown(t, rivals(), func(w *town) {
		w.gets("team-1", "2h")
		w.gets("team-3", "2h")
		w.rest(6 * time.Minute)
		w.types(demo.Requester, `/pag switch team-1 team-2 1h "release 43"`)
		link := w.newest(demo.Requester)
		w.types(demo.Requester, `/pag switch team-3 team-4 1h "release 43"`)
		other := w.newest(demo.Requester)
		host, one := opened(w.t, link)
		_, two := opened(w.t, other)
		w.nothing(func() {
			for _, forged := range []map[string]any{{"w": one["w"], "e": one["e"], "a": two["a"]}, {"w": two["w"], "e": two["e"], "a": one["a"]}} {
				w.told(w.confirms(demo.Requester, w.browser(), host+resealed(w.t, link, forged)), "link")
			}
			from, to := w.lifeOf("team-2"), w.lifeOf("team-4")
			w.rewrite(to.ID, func(a *activation.Activation) { a.Deeds[0].Warrant = from.Deeds[0].Warrant })
			w.rewrite(from.ID, func(a *activation.Activation) { a.Deeds[0].Warrant = to.Deeds[0].Warrant })
			w.confirms(demo.Requester, w.browser(), link)
			w.confirms(demo.Requester, w.browser(), other)
		})
	})
}

// TestAttackSwappedAfter has rows say that something else ends first, or that
// anything does: the person has confirmed another thing.
func TestAttackSwappedAfter(t *testing.T) {
	for name, change := range map[string]func(w *town, a *activation.Activation, over string){
		"over already":  func(_ *town, a *activation.Activation, over string) { a.After = over },
		"nothing":       func(_ *town, a *activation.Activation, _ string) { a.After, a.Leaves = "", activation.Group{} },
		"another group": func(w *town, a *activation.Activation, _ string) { a.Leaves.ID = w.Groups["team-3"].ID },
	} {
		t.Run(name, func(t *testing.T) {
			inTown(t, rivals(), func(w *town) {
				over := w.overAlready()
				w.gets("team-1", "2h")
				w.rest(6 * time.Minute)
				w.types(demo.Requester, `/pag switch team-1 team-2 1h "release 43"`)
				link := w.newest(demo.Requester)
				w.nothing(func() {
					w.rewrite(w.lifeOf("team-2").ID, func(a *activation.Activation) { change(w, a, over) })
					w.confirms(demo.Requester, w.browser(), link)
				})
			})
		})
	}
	t.Run("made up", func(t *testing.T) {
		inTown(t, rivals(), func(w *town) {
			over := w.life(w.overAlready())
			w.types(demo.Requester, `/pag activate team-4 1h "release 43"`)
			link := w.newest(demo.Requester)
			w.nothing(func() {
				w.rewrite(w.lifeOf("team-4").ID, func(a *activation.Activation) { a.After, a.Leaves = over.ID, over.Group })
				w.confirms(demo.Requester, w.browser(), link)
			})
		})
	})
}

// overAlready is an activation of the requester's that has ended.
func (w *town) overAlready() string {
	w.gets("team-5", "5m")
	id := w.lifeOf("team-5").ID
	w.rest(10 * time.Minute)
	return id
}
