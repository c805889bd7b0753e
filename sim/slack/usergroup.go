package slack

import (
	"maps"
	"slices"
)

// Usergroup is a group that people mention, such as @on-call.
type Usergroup struct {
	ID       string   `json:"id"`
	Team     string   `json:"team_id"`
	Name     string   `json:"name"`
	Handle   string   `json:"handle"`
	Users    []string `json:"users"`
	Disabled bool     `json:"disabled,omitempty"`
}

// AddUsergroup adds a user group; the team defaults to the only one.
func (w *World) AddUsergroup(g Usergroup) Usergroup {
	w.mu.Lock()
	defer w.mu.Unlock()
	g.ID, g.Team = w.orID(g.ID, "S"), w.orTeam(g.Team)
	if g.Handle == "" {
		g.Handle = g.Name
	}
	w.usergroups[g.ID] = &g
	w.touch()
	return g
}

// EditUsergroup changes a user group live; false if there is none.
func (w *World) EditUsergroup(id string, edit func(*Usergroup)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.usergroups[id]
	if g != nil {
		edit(g)
		w.touch()
	}
	return g != nil
}

// Usergroups lists all user groups.
func (w *World) Usergroups() []Usergroup {
	return sorted(w, w.usergroups, func(g *Usergroup) Usergroup { return *g })
}

// paid finds the workspace of a user group call; the free plan has none.
func (c *call) paid() (string, error) {
	team, err := c.team()
	if err == nil && c.w.teams[team].Free {
		err = refuse("plan_upgrade_required")
	}
	return team, err
}

func usergroupsList(c *call) (answer, error) {
	team, err := c.paid()
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.w.usergroups)) {
		g := c.w.usergroups[id]
		if g.Team != team || (g.Disabled && !c.flag("include_disabled")) {
			continue
		}
		shown := answer{"id": g.ID, "team_id": g.Team, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"is_external": false, "user_count": len(g.Users)}
		if c.flag("include_users") {
			shown["users"] = slices.Clone(g.Users)
		}
		list = append(list, shown)
	}
	return answer{"usergroups": list}, nil
}

func usergroupsUsersList(c *call) (answer, error) {
	team, err := c.paid()
	if err != nil {
		return nil, err
	}
	g := c.w.usergroups[c.str("usergroup")]
	if g == nil || g.Team != team || (g.Disabled && !c.flag("include_disabled")) {
		return nil, refuse("no_such_subteam")
	}
	return answer{"users": append([]string{}, g.Users...)}, nil
}
