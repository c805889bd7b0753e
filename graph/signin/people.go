package signin

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"pagbot/activation"
)

// People says which Slack user is which Entra account: as the mapping file has
// it, and as was bound since. It is the authority: an account that is not in it
// is nobody, whatever was signed. The file comes first.
type People struct {
	bySlack  map[activation.SlackUser][]activation.Person
	byObject map[string]activation.Person

	mu    sync.RWMutex
	found map[string]found
}

// found is an account that was bound by evidence.
type found struct {
	activation.Person
	how string
}

// NoPeople is a mapping without entries, for tenants that bind by evidence
// alone.
func NoPeople() *People {
	return &People{bySlack: map[activation.SlackUser][]activation.Person{}, byObject: map[string]activation.Person{}, found: map[string]found{}}
}

func (p *People) add(who activation.Person) error {
	if !guid.MatchString(who.Object) {
		return fmt.Errorf("account %q needs object: the account's object id in Entra, a GUID", who.Name)
	}
	key := account(who.Tenant, who.Object)
	if other, ok := p.byObject[key]; ok {
		return fmt.Errorf("object %s belongs to %s already: one account is one person", who.Object, other.Human)
	}
	p.byObject[key] = who
	p.bySlack[who.Slack] = append(p.bySlack[who.Slack], who)
	return nil
}

// BySlack returns the accounts of a Slack user, those of the file first and in
// its order.
func (p *People) BySlack(u activation.SlackUser) []activation.Person {
	all := append([]activation.Person(nil), p.bySlack[u]...)
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, key := range slices.Sorted(maps.Keys(p.found)) {
		if f := p.found[key]; f.Slack == u {
			all = append(all, f.Person)
		}
	}
	return all
}

// ByObject returns the person behind an account.
func (p *People) ByObject(tenant, object string) (activation.Person, bool) {
	key := account(tenant, object)
	if who, ok := p.byObject[key]; ok {
		return who, true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	f, ok := p.found[key]
	return f.Person, ok
}

// Users lists every Slack user who has an account.
func (p *People) Users() []activation.SlackUser {
	seen := map[activation.SlackUser]bool{}
	for u := range p.bySlack {
		seen[u] = true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, f := range p.found {
		seen[f.Slack] = true
	}
	all := slices.Collect(maps.Keys(seen))
	sort.Slice(all, func(i, k int) bool { return slackKey(all[i]) < slackKey(all[k]) })
	return all
}

// how says by what an account is its Slack user's.
func (p *People) how(who activation.Person) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if f, ok := p.found[account(who.Tenant, who.Object)]; ok {
		return f.how
	}
	return byFile
}

// learn takes up an account that was bound by evidence; false if it is
// somebody else's, or the file's.
func (p *People) learn(who activation.Person, how string) bool {
	key := account(who.Tenant, who.Object)
	if _, ok := p.byObject[key]; ok {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := p.found[key]; ok && f.Slack != who.Slack {
		return false
	}
	p.found[key] = found{who, how}
	return true
}

func (p *People) unlearn(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.found, key)
}

func account(tenant, object string) string { return strings.ToLower(tenant + "/" + object) }
