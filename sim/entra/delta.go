package entra

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// delta is where a caller stands: what has changed between two times, from
// which row on. It goes around as the token of the links, with the query that
// it began with.
type delta struct {
	Since, Until   time.Time
	From           int
	Select, Filter string
	List           string // whose token it is
}

// deltas serves /users/delta and /groups/delta.
func deltas(rows func(*World, delta) []obj, context string) func(*World, *call) answer {
	return func(w *World, c *call) answer {
		d, no := w.standing(c, context)
		if no != nil {
			return w.refused(c, no)
		}
		if no := c.known(context, new(filter)); no != nil {
			return w.refused(c, no)
		}
		f, err := parseFilter(d.Filter)
		if err != nil {
			return w.refused(c, refuse(400, "Request_UnsupportedQuery", "Invalid filter clause: "+err.Error()))
		}
		if slices.ContainsFunc(f.any, func(m mark) bool { return m.kind != "id" }) || f.any == nil && d.Filter != "" {
			return w.refused(c, refuse(400, "Request_UnsupportedQuery", "Delta queries can be filtered by id only."))
		}
		all := f.keep(rows(w, d))
		size := len(all)
		if w.dials.Page > 0 {
			size = w.dials.Page
		}
		end := min(d.From+size, len(all))
		page := all[min(d.From, end):end]
		for i := range page {
			page[i] = changed(page[i], d.Select)
		}
		body := obj{"@odata.context": c.context(context), "value": page}
		link := c.base + c.path + "?"
		if end < len(all) {
			d.From = end
			body["@odata.nextLink"] = link + "$skiptoken=" + d.token()
		} else {
			body["@odata.deltaLink"] = link + "$deltatoken=" + delta{Since: d.Until, Select: d.Select, Filter: d.Filter, List: context}.token()
		}
		return answer{status: 200, body: body}
	}
}

// standing reads where the caller stands; the directory hears late, by dial.
func (w *World) standing(c *call, list string) (d delta, no *refusal) {
	q, _ := url.ParseQuery(c.query)
	now := c.now.Add(-w.dials.DeltaLag - 1) // what happens at this very moment is for the next time
	token := q.Get("$skiptoken") + q.Get("$deltatoken")
	switch {
	case token == "":
		return delta{Until: now, Select: q.Get("$select"), Filter: q.Get("$filter"), List: list}, nil
	case token == "latest":
		return delta{Since: now, Until: now, Select: q.Get("$select"), Filter: q.Get("$filter"), List: list}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(b, &d) != nil || d.From < 0 || d.List != list {
		return d, refuse(400, "Directory_InvalidDeltaToken", "The delta token is invalid.")
	}
	if q.Has("$deltatoken") {
		d.Until = now
	}
	return d, nil
}

func (d delta) token() string {
	b, _ := json.Marshal(d)
	return base64.RawURLEncoding.EncodeToString(b)
}

// changed keeps the marks of a change beside what was selected.
func changed(o obj, list string) obj {
	less := selected(o, fields(list))
	for _, k := range []string{"id", "members@delta", "@removed"} {
		if v, ok := o[k]; ok && (k != "members@delta" || list == "" || strings.Contains(list, "members")) {
			less[k] = v
		}
	}
	return less
}

// usersDelta are the accounts that were added or changed.
func (w *World) usersDelta(d delta) []obj {
	rows := []obj{}
	for _, u := range w.users {
		if d.Since.IsZero() || u.changed.After(d.Since) && !u.changed.After(d.Until) {
			rows = append(rows, w.userJSON(u))
		}
	}
	return rows
}

// groupsDelta are the groups that were added, or whose members changed: PIM's
// activations and their ends are changes like others.
func (w *World) groupsDelta(d delta) []obj {
	rows := []obj{}
	for _, g := range w.groups {
		o := w.groupJSON(g)
		members := []obj{}
		for _, b := range w.inside[roleKey{g.ID, "member"}] {
			was, is := !d.Since.IsZero() && b.has(d.Since), b.has(d.Until)
			m := obj{"@odata.type": w.principalJSON(b.principal)["@odata.type"], "id": b.principal}
			if was && !is {
				m["@removed"] = obj{"reason": "deleted"}
			}
			if was != is {
				members = append(members, m)
			}
		}
		if len(members) > 0 {
			o["members@delta"] = members
		}
		if d.Since.IsZero() || len(members) > 0 || g.created.After(d.Since) && !g.created.After(d.Until) {
			rows = append(rows, o)
		}
	}
	return rows
}
