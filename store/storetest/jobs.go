package storetest

import (
	"fmt"
	"time"

	"pagbot/store"
)

var jobs = map[string]func(*bench){
	"Job/kept as added":                       keptAsAdded,
	"Job/add once":                            addOnce,
	"Job/due by the store's clock":            dueByClock,
	"Job/longest due first, and no more":      longestDue,
	"Job/claimed by key":                      claimedByKey,
	"Job/deferred":                            deferred,
	"Job/withdrawn before anybody claimed it": withdrawn,
	"Wait/until released":                     untilReleased,
	"Wait/until a time":                       untilTime,
	"Wait/released by the turn that waits":    releasedAtOnce,
	"Slot/overwritten":                        overwritten,
	"Slot/replaced while claimed":             replacedWhileClaimed,
	"Slot/replaced, then deferred":            replacedThenDeferred,
	"Slot/replaced, then its lease is lost":   replacedThenLost,
	"Slot/replaced by one that waits":         replacedByWaiting,
	"Remember/a day":                          rememberedADay,
	"Remember/only where it is asked for":     notRemembered,
	"Remember/not the replaced":               replacedNotRemembered,
}

func keptAsAdded(b *bench) {
	j := store.Job{
		Lane: "deed", Key: "a/1", Order: "a", Due: start.Add(-time.Hour), Until: start.Add(time.Hour),
		Body: []byte("do it"), Tries: 3, Fence: 99,
	}
	b.commit(add(j, job("say", "plain")))
	got := b.one("deed", "a/1")
	if got.Fence == 0 || got.Fence == 99 {
		b.Fatalf("fence %d is not a new one", got.Fence)
	}
	j.Due, j.Until, j.Fence = at(-time.Hour), at(time.Hour), got.Fence
	same(b, "claimed", got, j)
	plain := b.one("say", "plain")
	same(b, "plain", plain, store.Job{Lane: "say", Key: "plain", Due: at(0), Body: []byte("do plain"), Fence: plain.Fence})
}

func addOnce(b *bench) {
	b.commit(add(job("deed", "a")))
	b.refused(add(job("deed", "a")), store.ErrKept)
	b.commit(add(job("say", "a")))
	a := b.one("deed", "a")
	b.refused(add(job("deed", "a")), store.ErrKept)
	b.refused(store.Turn{Defer: []store.Job{a}, Add: []store.Job{job("deed", "a")}}, store.ErrKept)
	b.commit(store.Turn{Done: []store.Job{a}, Add: []store.Job{job("deed", "a")}}) // in one turn
	b.commit(done(b.one("deed", "a")))
	b.commit(add(job("deed", "a")))
}

func dueByClock(b *bench) {
	j := job("deed", "a")
	j.Due = start.Add(time.Minute)
	b.next("deed", "", time.Time{})
	b.commit(add(j))
	b.claim("deed", 1)
	b.next("deed", "", at(time.Minute))
	b.next("say", "", time.Time{})
	b.pass(time.Minute - time.Microsecond)
	b.claim("deed", 1)
	b.pass(time.Microsecond)
	b.next("deed", "", at(time.Minute))
	b.claim("deed", 1, "a")
	b.next("deed", "", at(time.Minute+Lease))
}

func longestDue(b *bench) {
	var turn store.Turn
	for i := range 6 {
		j := job("deed", fmt.Sprint(i))
		j.Due = start.Add(-time.Duration(i/2) * time.Minute) // two at a time; of these, the older first
		turn.Add = append(turn.Add, j)
	}
	b.commit(turn)
	b.claim("deed", 0)
	b.claim("deed", 3, "4", "5", "2")
	b.next("deed", "", at(-time.Minute)) // there is more
	b.claim("deed", 9, "3", "0", "1")
	b.next("deed", "", at(Lease))
}

func claimedByKey(b *bench) {
	late := job("deed", "late")
	late.Due = start.Add(time.Hour)
	b.commit(add(job("deed", "a"), job("deed", "b"), late, ordered("x1", "x"), ordered("x2", "x"), waits("w", "thing", start.Add(time.Minute))))
	b.claimKey("deed", "none", 5)
	b.next("deed", "none", time.Time{})
	b.claimKey("deed", "late", 5)
	b.next("deed", "late", at(time.Hour))
	b.claimKey("deed", "w", 5)
	b.next("deed", "w", at(time.Minute))
	b.claimKey("deed", "x2", 5)
	b.next("deed", "x2", time.Time{}) // x1 first
	b.claimKey("deed", "b", 5, "b")
	b.claimKey("deed", "b", 5)
	b.next("deed", "b", at(Lease))
	b.claim("deed", 5, "a", "x1")
}

func deferred(b *bench) {
	b.commit(add(ordered("a", "x")))
	j := b.one("deed", "a")
	j.Due, j.Until, j.Body, j.Tries, j.Order = start.Add(time.Minute), start.Add(time.Hour), []byte("again"), 5, "y"
	b.commit(postpone(j))
	b.refused(postpone(j), store.ErrFence) // it let go of the job
	b.claim("deed", 1)
	b.pass(time.Minute)
	got := b.one("deed", "a")
	if got.Fence <= j.Fence {
		b.Fatalf("fence %d after %d", got.Fence, j.Fence)
	}
	j.Fence, j.Due, j.Until, j.Order = got.Fence, at(time.Minute), at(time.Hour), "x"
	same(b, "claimed again", got, j)
}

func withdrawn(b *bench) {
	b.commit(add(job("deed", "a"), waits("b", "thing", time.Time{})))
	b.commit(done(job("deed", "b")))
	b.commit(store.Turn{Release: []string{"thing"}})
	claimed := b.one("deed", "a")
	b.refused(done(job("deed", "a")), store.ErrFence)
	b.refused(postpone(job("deed", "a")), store.ErrFence)
	b.commit(done(claimed))
}

func untilReleased(b *bench) {
	elsewhere := job("say", "c")
	elsewhere.Wait = "sign-in"
	b.commit(add(waits("a", "sign-in", time.Time{}), waits("b", "sign-ins", time.Time{}), elsewhere))
	b.pass(1000 * time.Hour)
	b.claim("deed", 9)
	b.next("deed", "", time.Time{})
	b.commit(store.Turn{Release: []string{"sign", "sign-in", "nothing"}})
	b.next("deed", "", at(1000*time.Hour))
	a := b.one("deed", "a")
	same(b, "wait", a.Wait, "")
	same(b, "due", a.Due, at(1000*time.Hour))
	b.one("say", "c")
	b.commit(store.Turn{Release: []string{"sign-in"}}) // nothing left to release
	b.claim("deed", 9)
}

func untilTime(b *bench) {
	b.commit(add(waits("a", "sign-in", start.Add(time.Minute))))
	b.next("deed", "", at(time.Minute))
	b.pass(time.Minute)
	a := b.one("deed", "a")
	same(b, "wait", a.Wait, "sign-in")
	same(b, "tries", a.Tries, 0)
	b.commit(store.Turn{Release: []string{"sign-in"}}) // its holder keeps it
	b.claim("deed", 9)
	b.pass(Lease)
	again := b.one("deed", "a")
	same(b, "wait", again.Wait, "")
	b.refused(done(a), store.ErrFence)
	b.commit(done(again))

	b.commit(add(waits("past", "sign-in", start)))
	b.one("deed", "past")
}

func releasedAtOnce(b *bench) {
	b.commit(add(job("deed", "a")))
	a := b.one("deed", "a")
	a.Wait = "sign-in"
	turn := postpone(a)
	turn.Add = []store.Job{waits("b", "sign-in", time.Time{})}
	turn.Replace = []store.Job{waits("c", "sign-in", time.Time{})}
	turn.Release = []string{"sign-in"}
	b.commit(turn)
	same(b, "claimed", len(b.claim("deed", 9, "a", "c", "b")), 3)
}

func slot(body string) store.Job {
	return store.Job{Lane: "card", Key: "a", Body: []byte(body)}
}

func overwritten(b *bench) {
	first := slot("one")
	first.Wait, first.Tries = "429", 2
	b.commit(replace(first))
	b.commit(replace(slot("two"), slot("three")))
	j := b.one("card", "a")
	same(b, "the newest", j, store.Job{Lane: "card", Key: "a", Due: at(0), Body: []byte("three"), Fence: j.Fence})
	b.commit(done(j))
	b.pass(Lease)
	b.claim("card", 9)
}

func replacedWhileClaimed(b *bench) {
	b.commit(replace(slot("one")))
	one := b.one("card", "a")
	b.commit(replace(slot("two")))
	b.claim("card", 9) // one is still being said
	b.next("card", "", at(Lease))
	b.commit(replace(slot("three")))
	b.refused(done(slot("")), store.ErrFence)
	b.refused(store.Turn{Done: []store.Job{one}, Add: []store.Job{slot("four")}}, store.ErrKept)
	b.commit(done(one))
	three := b.one("card", "a")
	same(b, "the newest", string(three.Body), "three")
	same(b, "tries", three.Tries, 0)
	b.refused(done(one), store.ErrFence)
	b.commit(done(three))
	b.pass(Lease)
	b.claim("card", 9)
}

func replacedThenDeferred(b *bench) {
	b.commit(replace(slot("one")))
	one := b.one("card", "a")
	b.commit(replace(slot("two")))
	one.Due, one.Tries = start.Add(time.Hour), 1
	b.commit(postpone(one))
	two := b.one("card", "a")
	same(b, "the newer one as it is", two, store.Job{Lane: "card", Key: "a", Due: at(0), Body: []byte("two"), Fence: two.Fence})

	b.commit(store.Turn{Done: []store.Job{two}, Replace: []store.Job{slot("three")}}) // in one turn
	same(b, "three", string(b.one("card", "a").Body), "three")
}

func replacedThenLost(b *bench) {
	b.commit(replace(slot("one")))
	b.one("card", "a")
	b.commit(replace(slot("two")))
	b.pass(Lease)
	two := b.one("card", "a")
	same(b, "body", string(two.Body), "two")
	same(b, "tries", two.Tries, 1)
	b.commit(done(two)) // it is the newest: gone
	b.pass(Lease)
	b.claim("card", 9)
}

func replacedByWaiting(b *bench) {
	b.commit(replace(slot("one")))
	one := b.one("card", "a")
	two := slot("two")
	two.Wait = "429"
	b.commit(replace(two))
	b.commit(done(one))
	b.claim("card", 9)
	b.commit(store.Turn{Release: []string{"429"}})
	same(b, "body", string(b.one("card", "a").Body), "two")
}

func rememberedADay(b *bench) {
	b.commit(add(job(Remembered, "e1"), job(Remembered, "e2")))
	e1 := b.claim(Remembered, 1, "e1")[0]
	b.commit(done(e1))
	b.refused(add(job(Remembered, "e1")), store.ErrKept)
	b.refused(add(job(Remembered, "e2")), store.ErrKept)
	e2 := b.one(Remembered, "e2")
	b.refused(store.Turn{Done: []store.Job{e2}, Add: []store.Job{job(Remembered, "e2")}}, store.ErrKept)
	b.pass(store.Memory - time.Microsecond)
	b.commit(add(job("say", "other work"))) // a chance to sweep too early
	b.refused(add(job(Remembered, "e1")), store.ErrKept)
	b.pass(time.Microsecond)
	b.commit(add(job(Remembered, "e1")))
	b.pass(store.Memory / 2)
	b.commit(done(b.claimKey(Remembered, "e1", 1, "e1")[0]))
	b.pass(store.Memory - time.Microsecond)
	b.refused(add(job(Remembered, "e1")), store.ErrKept)
}

func notRemembered(b *bench) {
	b.commit(add(job("deed", "a")))
	b.commit(done(b.one("deed", "a")))
	b.commit(add(job("deed", "a")))
}

func replacedNotRemembered(b *bench) {
	j := job(Remembered, "e1")
	b.commit(add(j))
	b.commit(done(b.one(Remembered, "e1")))
	b.commit(replace(j)) // a slot asks no memory
	e1 := b.one(Remembered, "e1")
	b.commit(replace(j))
	b.refused(store.Turn{Done: []store.Job{e1}, Add: []store.Job{j}}, store.ErrKept) // the newer one is there
	b.commit(done(e1))
	b.pass(store.Memory / 2)
	b.commit(done(b.one(Remembered, "e1"))) // counts from now
	b.pass(store.Memory / 2)
	b.commit(add(job("say", "other work"))) // a chance to forget the first time
	b.refused(add(j), store.ErrKept)
}
