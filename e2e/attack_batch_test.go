package e2e

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
)

// One sign-in for several: for what its page names, and nothing beside it.

// writtenFor are the groups for which a write reached Entra since then.
func (w *town) writtenFor(since int) (groups []string) {
	for _, r := range w.Entra.Writes()[since:] {
		for name, g := range w.Groups {
			if strings.Contains(r.Body, g.ID) {
				groups = append(groups, name)
			}
		}
	}
	slices.Sort(groups)
	return groups
}

// wroteOnly makes sure that exactly these were written for.
func (w *town) wroteOnly(since int, groups ...string) {
	w.t.Helper()
	w.rest(45 * time.Second)
	if got := w.writtenFor(since); !slices.Equal(got, groups) {
		w.t.Errorf("writes reached Entra for %q, not for %q", got, groups)
	}
}

// opened reads a link to our pages, which is no secret: 32 bytes of seal and what
// it is for.
func opened(t testing.TB, link string) (host string, body map[string]any) {
	t.Helper()
	i := strings.LastIndex(link, "/") + 1
	b, err := base64.RawURLEncoding.DecodeString(link[i:])
	if err == nil {
		err = json.Unmarshal(b[32:], &body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return link[:i], body
}

// resealed has the seal of a link on something else.
func resealed(t testing.TB, link string, body map[string]any) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(link[strings.LastIndex(link, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	forged, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(append(b[:32:32], forged...))
}

// TestAttackBatch has an intruder ask for more in the same person's name, and
// mix the links.
func TestAttackBatch(t *testing.T) {
	inTown(t, teams(), func(w *town) {
		w.types(demo.Requester, `/pag activate team-1,team-2 1h "release 42"`)
		link := w.newest(demo.Requester)
		w.types(demo.Requester, `/pag activate team-3,team-4 8h "nobody will notice"`)
		theirs := w.newest(demo.Requester)
		w.types(demo.Requester, `/pag activate team-5 8h "nobody will notice"`)
		w.rest(5 * time.Second)
		host, mine := opened(w.t, link)
		_, other := opened(w.t, theirs)
		more := maps.Clone(mine)
		more["a"] = append(append([]any{other["w"]}, mine["a"].([]any)...), other["a"].([]any)...)
		w.nothing(func() {
			for _, forged := range []map[string]any{other, more, {"w": mine["w"], "e": mine["e"], "a": other["a"]}} {
				w.told(w.confirms(demo.Requester, w.browser(), host+resealed(w.t, link, forged)), "link")
			}
		})
		since := len(w.Entra.Writes())
		w.told(w.opens(w.browser(), link), "Activate 2 groups", "team-1", "team-2")
		w.confirms(demo.Requester, w.browser(), link)
		w.wroteOnly(since, "team-1", "team-2")
	})
}

// TestAttackChangedInBatch makes more of one of several asks than was typed: the
// page does not name it, and it is not done.
func TestAttackChangedInBatch(t *testing.T) {
	inTown(t, teams(), func(w *town) {
		w.types(demo.Requester, `/pag activate team-1,team-2 1h "release 42"`)
		link := w.newest(demo.Requester)
		var id string
		for _, a := range w.underWay() {
			if a.Group.Name == "team-2" {
				id = a.ID
			}
		}
		w.rewrite(id, func(a *activation.Activation) { a.Length = activation.Duration(8 * time.Hour) })
		if page := w.opens(w.browser(), link); strings.Contains(page, "team-2") || strings.Contains(page, "8 hours") {
			w.t.Errorf("the page names what was not asked for: %s", page)
		}
		since := len(w.Entra.Writes())
		w.confirms(demo.Requester, w.browser(), link)
		w.wroteOnly(since, "team-1")
	})
}
