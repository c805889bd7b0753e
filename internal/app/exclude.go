package app

import (
	"slices"
	"strings"
)

// exclude makes what excludes something be excluded by it, and says what can't be.
func (c *Config) exclude(p *problems) {
	for i := range c.Groups {
		g := &c.Groups[i]
		for _, name := range g.Excludes {
			j := slices.IndexFunc(c.Groups, func(o GroupConfig) bool { return strings.EqualFold(o.Name, name) })
			p.need(j >= 0, "groups %s: excludes: there is no group %q: name one that stands below groups", g.Name, name)
			p.need(i != j, "groups %s: excludes: a group can't exclude itself: name another", g.Name)
			if o := j; o >= 0 && o != i && !c.Groups[o].has(g.Name) {
				c.Groups[o].Excludes = append(slices.Clip(c.Groups[o].Excludes), g.Name)
			}
		}
	}
}

// has reports whether it excludes a group.
func (g GroupConfig) has(name string) bool {
	return slices.ContainsFunc(g.Excludes, func(n string) bool { return strings.EqualFold(n, name) })
}

// excluded are the ids of the groups that one excludes.
func (c *Config) excluded(g GroupConfig) (ids []string) {
	for _, o := range c.Groups {
		if g.has(o.Name) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// excluding lists those of some groups that exclude each other.
func (c *Config) excluding(names []string) (pairs [][2]string) {
	for _, g := range c.Groups {
		for _, n := range names {
			if among := slices.ContainsFunc(names, func(m string) bool { return strings.EqualFold(m, g.Name) }); among && g.has(n) && strings.ToLower(g.Name) < strings.ToLower(n) {
				pairs = append(pairs, [2]string{g.Name, n})
			}
		}
	}
	return pairs
}
