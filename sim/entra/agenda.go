package entra

import (
	"container/heap"
	"time"
)

// agenda holds what falls due later. It has no timer: entries are done, in the
// order of their times and with their own times, when somebody looks.
type agenda struct {
	todo entries
	n    int
}

type entry struct {
	at time.Time
	n  int
	do func(at time.Time)
}

// add puts an entry down; one that is already due is done at the next look.
func (a *agenda) add(at time.Time, do func(time.Time)) {
	a.n++
	heap.Push(&a.todo, entry{at, a.n, do})
}

func (a *agenda) run(now time.Time) {
	for len(a.todo) > 0 && !a.todo[0].at.After(now) {
		e := heap.Pop(&a.todo).(entry)
		e.do(e.at)
	}
}

type entries []entry

func (e entries) Len() int { return len(e) }
func (e entries) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
