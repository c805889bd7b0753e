package activation

import "slices"

// PIM extends nothing that runs. A renewal is therefore two activations: the
// running one is ended, and another begins After it, as soon as PIM lets it. Both
// are told in one commit (Renewal), each has a warrant of its own, and one page
// confirms both. The new one's submit is held until the old one has ended, and is
// refused if that can't be. A switch is the same between two groups: what is left
// may also be a request that still waits, which is withdrawn.

// Renews reports whether this activation takes the place of one of the same group.
func (a Activation) Renews() bool { return a.After != "" && !a.Switches() }

// Switches reports whether it takes the place of one of another group.
func (a Activation) Switches() bool { return a.After != "" && a.Leaves.ID != "" }

// AtEnd names what waits for the end of the activation of that id.
func AtEnd(id string) string { return "ended:" + id }

// Leaving is the deed by which what stands there is left; empty: none can.
func (a Activation) Leaving() Deed {
	switch a.Phase {
	case Active, Ending:
		return End
	case AwaitingApproval, Scheduled:
		return Cancel
	}
	return ""
}

// Held reports what the submit of a waits for: the end of the activation before
// it. If that one will not end, it is a refusal; neither says that a may begin.
func (a Activation) Held(before Activation) (wait string, no *Refusal) {
	switch before.Phase {
	case "", Verifying, Closed:
		return "", nil
	}
	for _, d := range before.Deeds {
		if d.Warrant.Deed == before.Leaving() {
			return AtEnd(before.ID), nil
		}
	}
	return "", &Refusal{Code: NotEnded, Until: before.Ends}
}

// spokenFor reports whether another message carries the link by which a deed of
// that kind is confirmed.
func (a Activation) spokenFor(d Deed) bool {
	return d == Submit && a.Follows() || (d == End || d == Cancel) && a.Next != ""
}

// succeeded reports whether the one that renews this took its place while a
// target was still watched: that it is over is no news then.
func (o *out) succeeded() bool {
	return o.a.Next != "" && slices.ContainsFunc(o.a.Targets, func(t Target) bool { return t.Removal.State == Superseded && t.Removal.Via == "" })
}

// free lets go the activation that waits for the end of this one, also if it
// will not come.
func (o *out) free() {
	if o.a.Next != "" {
		o.put(Effect{Key: "free/" + o.seq(), Lane: LaneDeed, Kind: Free})
	}
}
