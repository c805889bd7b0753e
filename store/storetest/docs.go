package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pagbot/store"
)

var docs = map[string]func(*bench){
	"Doc/create, change, delete":              lifeOfADoc,
	"Doc/a revision that moved is stale":      staleDoc,
	"Doc/an empty body is a body":             emptyBody,
	"Doc/list in pages":                       listPages,
	"Doc/list by index":                       listIndex,
	"Doc/names are kept apart":                namesApart,
	"Log/counts without a gap":                logCounts,
	"Log/long, and appended to while read":    logLong,
	"Turn/all or nothing":                     allOrNothing,
	"Turn/refused if it contradicts itself":   badTurns,
	"Turn/an ended context keeps nothing":     endedContext,
	"Turn/64 writers, one counter":            oneCounter,
	"Turn/64 writers, each what it was after": manyWriters,
}

func lifeOfADoc(b *bench) {
	b.none("ask", "a")
	b.commit(store.Turn{Docs: []store.Doc{doc("ask", "a", 0, "open", "mine")}})
	same(b, "created", b.get("ask", "a"), store.Doc{Kind: "ask", Key: "a", Rev: 1, Index: []string{"open", "mine"}, Body: []byte("a after 0")})
	b.commit(store.Turn{Docs: []store.Doc{doc("ask", "a", 1)}})
	same(b, "changed", b.get("ask", "a"), store.Doc{Kind: "ask", Key: "a", Rev: 2, Body: []byte("a after 1")})
	b.commit(store.Turn{Docs: []store.Doc{{Kind: "ask", Key: "a", Rev: 2}}})
	b.none("ask", "a")
	b.commit(store.Turn{Docs: []store.Doc{doc("ask", "a", 0)}})
	same(b, "created again", b.get("ask", "a").Rev, 1)
}

func staleDoc(b *bench) {
	b.refused(store.Turn{Docs: []store.Doc{doc("ask", "a", 1)}}, store.ErrStale)
	b.refused(store.Turn{Docs: []store.Doc{{Kind: "ask", Key: "a", Rev: 1}}}, store.ErrStale)
	b.commit(store.Turn{Docs: []store.Doc{doc("ask", "a", 0)}})
	b.commit(store.Turn{Docs: []store.Doc{doc("ask", "a", 1)}})
	for _, rev := range []uint64{0, 1, 3} {
		b.refused(store.Turn{Docs: []store.Doc{doc("ask", "a", rev)}}, store.ErrStale)
	}
	b.refused(store.Turn{Docs: []store.Doc{{Kind: "ask", Key: "a", Rev: 1}}}, store.ErrStale)
	same(b, "untouched", b.get("ask", "a"), store.Doc{Kind: "ask", Key: "a", Rev: 2, Body: []byte("a after 1")})
	err := b.s.Commit(b.Context(), store.Turn{Docs: []store.Doc{doc("ask", "a", 9)}})
	if !strings.Contains(err.Error(), "ask/a") {
		b.Fatalf("%q does not name the document", err)
	}
}

func emptyBody(b *bench) {
	b.commit(store.Turn{Docs: []store.Doc{{Kind: "ask", Key: "a", Body: []byte{}}}})
	if d := b.get("ask", "a"); d.Body == nil || len(d.Body) != 0 {
		b.Fatalf("body is %#v, want an empty one", d.Body)
	}
}

func listPages(b *bench) {
	var turn store.Turn
	for i := range 25 {
		turn.Docs = append(turn.Docs, doc("ask", fmt.Sprintf("%02d", i), 0))
	}
	turn.Docs = append(turn.Docs, doc("as", "x", 0), doc("askk", "y", 0))
	b.commit(turn)
	after, seen := "", 0
	for {
		list, err := b.s.List(b.Context(), "ask", "", after, 10)
		if err != nil {
			b.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		same(b, "first of the page", list[0].Key, fmt.Sprintf("%02d", seen))
		same(b, "whole", list[0], b.get("ask", list[0].Key))
		seen, after = seen+len(list), list[len(list)-1].Key
	}
	same(b, "seen", seen, 25)
	b.listed("ask", "", "23x", 10, "24") // after a key that there is not
	b.listed("ask", "", "", 0)
	b.listed("nothing", "", "", 10)
}

func listIndex(b *bench) {
	b.commit(store.Turn{Docs: []store.Doc{
		doc("ask", "c", 0, "open"), doc("ask", "a", 0, "open", "mine", "open"), doc("ask", "b", 0), doc("other", "d", 0, "open"),
	}})
	b.listed("ask", "open", "", 10, "a", "c")
	b.listed("ask", "open", "a", 10, "c")
	b.listed("ask", "open", "", 1, "a")
	b.listed("ask", "mine", "", 10, "a")
	b.listed("ask", "ope", "", 10)
	b.listed("other", "open", "", 10, "d")
	b.commit(store.Turn{Docs: []store.Doc{doc("ask", "a", 1, "mine"), doc("ask", "b", 1, "open"), {Kind: "ask", Key: "c", Rev: 1}}})
	b.listed("ask", "open", "", 10, "b")
	b.listed("ask", "mine", "", 10, "a")
	b.listed("ask", "", "", 10, "a", "b")
}

// Names of any bytes but NUL, chosen so that a careless join mixes them up.
func namesApart(b *bench) {
	names := []string{"a", "a/b", "b", "a b", "a\x01", "ä", "\x01", "a:", strings.Repeat("n", store.MaxName)}
	var turn store.Turn
	for _, kind := range names {
		for _, key := range names {
			turn.Docs = append(turn.Docs, doc(kind, key, 0, kind, key))
			turn.Add = append(turn.Add, job(kind, key))
		}
	}
	b.commit(turn)
	sorted := slices.Sorted(slices.Values(names))
	for _, kind := range names {
		b.listed(kind, "", "", 100, sorted...)
		b.listed(kind, kind, "", 100, sorted...)
		same(b, "jobs of "+kind, len(b.claim(kind, 100, names...)), len(names))
	}
}

func logCounts(b *bench) {
	b.commit(store.Turn{Log: []store.Entry{{Log: "audit", Body: []byte("one"), Seq: 7}, {Log: "other", Body: []byte("x")}, {Log: "audit", At: start.Add(time.Hour)}}})
	b.refused(store.Turn{Log: []store.Entry{{Log: "audit"}}, Docs: []store.Doc{doc("ask", "a", 5)}}, store.ErrStale)
	b.pass(time.Minute)
	b.commit(store.Turn{Log: []store.Entry{{Log: "audit", Body: []byte("three")}}})
	want := []store.Entry{
		{Log: "audit", Seq: 1, At: at(0), Body: []byte("one")},
		{Log: "audit", Seq: 2, At: at(time.Hour), Body: []byte{}},
		{Log: "audit", Seq: 3, At: at(time.Minute), Body: []byte("three")},
	}
	same(b, "from the start", b.read("audit", 0), want)
	same(b, "from 1", b.read("audit", 1), want)
	same(b, "from 3", b.read("audit", 3), want[2:])
	same(b, "from beyond", len(b.read("audit", 4)), 0)
	same(b, "other", b.read("other", 1), []store.Entry{{Log: "other", Seq: 1, At: at(0), Body: []byte("x")}})
	same(b, "unknown", len(b.read("nothing", 1)), 0)
}

// Whoever reads may commit between two entries, and may stop.
func logLong(b *bench) {
	const n = 1000
	var turn store.Turn
	for range n {
		turn.Log = append(turn.Log, store.Entry{Log: "audit", Body: make([]byte, 1000)})
	}
	b.commit(turn)
	seen := uint64(0)
	for e, err := range b.s.Read(b.Context(), "audit", 1) {
		if err != nil || e.Seq != seen+1 {
			b.Fatalf("after %d: %d, %v", seen, e.Seq, err)
		}
		seen = e.Seq
		if seen%100 == 0 && seen <= n {
			b.commit(store.Turn{Log: []store.Entry{{Log: "other", Body: make([]byte, 1<<20)}}})
		}
		if seen == n {
			break
		}
	}
	same(b, "seen", seen, n)
	same(b, "appended meanwhile", len(b.read("other", 1)), n/100)
}

// Whatever is refused about a turn, nothing of it is kept.
func allOrNothing(b *bench) {
	b.commit(add(job("deed", "there"), job("deed", "mine"), waits("blocked", "sign-in", time.Time{})))
	mine := b.claim("deed", 2, "there", "mine")[1]
	lost := mine
	lost.Fence++
	for want, poison := range map[error]store.Turn{
		store.ErrStale: {Docs: []store.Doc{doc("ask", "z", 4)}},
		store.ErrKept:  add(job("deed", "there")),
		store.ErrFence: done(lost),
		store.ErrTurn:  {Release: []string{""}},
	} {
		turn := store.Turn{
			Docs: []store.Doc{doc("ask", "a", 0, "open")}, Log: []store.Entry{{Log: "audit"}},
			Add: []store.Job{job("deed", "new")}, Replace: []store.Job{job("deed", "slot")},
			Done: []store.Job{mine}, Release: []string{"sign-in"},
		}
		turn.Docs = append(turn.Docs, poison.Docs...)
		turn.Add = append(turn.Add, poison.Add...)
		turn.Release = append(turn.Release, poison.Release...)
		if poison.Done != nil {
			turn.Done = poison.Done
		}
		b.refused(turn, want)
	}
	b.none("ask", "a")
	b.listed("ask", "open", "", 10)
	same(b, "log", len(b.read("audit", 1)), 0)
	b.claim("deed", 10)
	b.commit(done(mine))
}

func badTurns(b *bench) {
	j, k := job("deed", "a"), job("deed", "a")
	for what, turn := range map[string]store.Turn{
		"no kind":                 {Docs: []store.Doc{doc("", "a", 0)}},
		"no key":                  {Docs: []store.Doc{doc("ask", "", 0)}},
		"an empty index":          {Docs: []store.Doc{doc("ask", "a", 0, "")}},
		"no body":                 {Docs: []store.Doc{{Kind: "ask", Key: "a"}}},
		"a doc twice":             {Docs: []store.Doc{doc("ask", "a", 0), doc("ask", "a", 1)}},
		"no log":                  {Log: []store.Entry{{}}},
		"no lane":                 add(job("", "a")),
		"no job key":              add(job("deed", "")),
		"NUL":                     add(job("deed", "a\x00b")),
		"not UTF-8":               add(job("deed", "a\xff")),
		"too long":                add(job("deed", strings.Repeat("n", store.MaxName+1))),
		"added twice":             add(j, k),
		"added and replaced":      {Add: []store.Job{j}, Replace: []store.Job{k}},
		"done twice":              done(j, k),
		"done and deferred":       {Done: []store.Job{j}, Defer: []store.Job{k}},
		"released without a name": {Release: []string{""}},
		"negative tries":          add(store.Job{Lane: "deed", Key: "a", Tries: -1}),
	} {
		if err := b.s.Commit(b.Context(), turn); !errors.Is(err, store.ErrTurn) {
			b.Errorf("%s: %v, want ErrTurn", what, err)
		}
	}
	b.commit(store.Turn{})
}

func endedContext(b *bench) {
	ctx := gone(b.T)
	if err := b.s.Commit(ctx, add(job("deed", "a"))); !errors.Is(err, ctx.Err()) {
		b.Errorf("commit: %v", err)
	}
	if _, err := b.s.Get(ctx, "ask", "a"); !errors.Is(err, ctx.Err()) {
		b.Errorf("get: %v", err)
	}
	if _, err := b.s.List(ctx, "ask", "", "", 1); !errors.Is(err, ctx.Err()) {
		b.Errorf("list: %v", err)
	}
	if _, _, err := b.s.Claim(ctx, "deed", "", 1); !errors.Is(err, ctx.Err()) {
		b.Errorf("claim: %v", err)
	}
	n := 0
	for _, err := range b.s.Read(ctx, "audit", 1) {
		if n++; !errors.Is(err, ctx.Err()) {
			b.Errorf("read: %v", err)
		}
	}
	same(b, "read's answers", n, 1)
	b.claim("deed", 1)
}

// Each writer adds one to the same document until it has done so 10 times.
func oneCounter(b *bench) {
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 10 {
				for err := store.ErrStale; errors.Is(err, store.ErrStale); {
					d, get := b.s.Get(b.Context(), "count", "c")
					if get != nil && !errors.Is(get, store.ErrNone) {
						b.Error(get)
					}
					err = b.s.Commit(b.Context(), store.Turn{Docs: []store.Doc{doc("count", "c", d.Rev)}, Log: []store.Entry{{Log: "audit"}}})
				}
			}
		})
	}
	wg.Wait()
	same(b, "revision", b.get("count", "c").Rev, 640)
	log := b.read("audit", 1)
	same(b, "entries", len(log), 640)
	same(b, "last", log[639].Seq, 640)
}

// Turns that share a transaction do not share their fate.
func manyWriters(b *bench) {
	b.commit(add(job("deed", "there")))
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range 20 {
				key := fmt.Sprintf("%02d/%02d", w, i)
				turn, want := store.Turn{Docs: []store.Doc{doc("ask", key, 0)}, Add: []store.Job{job("say", key)}}, error(nil)
				if (w+i)%2 == 0 {
					turn.Add, want = append(turn.Add, job("deed", "there")), store.ErrKept
				}
				if err := b.s.Commit(b.Context(), turn); !errors.Is(err, want) {
					b.Errorf("%s: %v, want %v", key, err, want)
				}
			}
		})
	}
	wg.Wait()
	list, err := b.s.List(b.Context(), "ask", "", "", 2000)
	if err != nil || len(list) != 640 {
		b.Fatalf("%d documents, %v; want 640", len(list), err)
	}
	jobs, _, _ := b.s.Claim(b.Context(), "say", "", 2000)
	same(b, "jobs", len(jobs), 640)
}
