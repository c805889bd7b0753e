package slack

import "slices"

// StartShare invites other workspaces into a channel. Its id changes at once,
// not when they accept, and the apps in it that subscribed hear
// channel_id_changed. The old id is forgotten, unless a dial keeps it.
func (w *World) StartShare(id string, teams ...string) (Channel, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[id]
	if c == nil || c.direct() {
		return Channel{}, false
	}
	c.PendingExtShared = true
	c.invited = teams
	c.ID = w.id("C")
	w.channels[c.ID] = c
	if !w.dials.OldChannelIDs {
		delete(w.channels, id)
	}
	for _, m := range c.messages {
		m.Channel = c.ID
	}
	for _, a := range w.apps {
		if c.has(a.BotUser) && w.hears(a, "channel_id_changed") {
			w.emit(a, map[string]any{"type": "channel_id_changed", "old_channel_id": id, "new_channel_id": c.ID, "event_ts": w.stamp()})
		}
	}
	w.touch()
	return c.Channel, true
}

// AcceptShare makes a pending channel a shared one.
func (w *World) AcceptShare(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[id]
	if c == nil || !c.PendingExtShared {
		return false
	}
	c.PendingExtShared, c.ExtShared = false, true
	c.SharedTeams = append([]string{c.Team}, c.invited...)
	w.touch()
	return true
}

// EndShare disconnects a shared channel. The host keeps it; each invited
// workspace gets a copy with a new id, frozen, for its own members.
func (w *World) EndShare(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[id]
	if c == nil || !c.ExtShared {
		return false
	}
	for _, team := range c.SharedTeams {
		if team == c.Team {
			continue
		}
		theirs := slices.DeleteFunc(slices.Clone(c.Members), func(m string) bool { return w.users[m] == nil || w.users[m].Team != team })
		w.enter(Channel{ID: w.id("C"), Team: team, Name: c.Name, Private: c.Private, Frozen: "disconnected", Members: theirs, Created: c.Created})
		c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return slices.Contains(theirs, m) })
	}
	c.ExtShared, c.SharedTeams = false, nil
	c.count()
	w.touch()
	return true
}
