package storetest

import (
	"cmp"
	"slices"
	"time"

	"pagbot/store"
)

// model is a store that keeps its jobs in one slice, oldest first, and finds
// everything by looking at all of them: slow, small and plain.
type model struct {
	now   func() time.Time
	docs  map[string]store.Doc
	log   uint64
	jobs  []*modelJob
	done  map[string]time.Time
	fence uint64
}

type modelJob struct {
	store.Job
	held    bool
	newer   bool // replaced since it was claimed
	expires time.Time
}

func newModel(now func() time.Time) *model {
	return &model{now: func() time.Time { return now().UTC() }, docs: map[string]store.Doc{}, done: map[string]time.Time{}}
}

func (m *model) find(lane, key string) *modelJob {
	for _, j := range m.jobs {
		if j.Lane == lane && j.Key == key {
			return j
		}
	}
	return nil
}

func twice(jobs ...store.Job) bool {
	seen := map[string]bool{}
	for _, j := range jobs {
		if seen[j.Lane+"/"+j.Key] {
			return true
		}
		seen[j.Lane+"/"+j.Key] = true
	}
	return false
}

// commit works on a copy, and keeps it if nothing was refused.
func (m *model) commit(turn store.Turn) error {
	docs := map[string]bool{}
	for _, d := range turn.Docs {
		if docs[d.Kind+"/"+d.Key] {
			return store.ErrTurn
		}
		docs[d.Kind+"/"+d.Key] = true
	}
	if twice(append(slices.Clone(turn.Add), turn.Replace...)...) {
		return store.ErrTurn
	}
	for _, d := range turn.Docs {
		if m.docs[d.Kind+"/"+d.Key].Rev != d.Rev {
			return store.ErrStale
		}
	}
	for _, j := range append(slices.Clone(turn.Done), turn.Defer...) {
		if kept := m.find(j.Lane, j.Key); kept == nil || kept.Fence != j.Fence {
			return store.ErrFence
		}
	}
	trial := *m
	trial.done = map[string]time.Time{}
	for k, v := range m.done {
		trial.done[k] = v
	}
	trial.jobs = nil
	for _, j := range m.jobs {
		kept := *j
		trial.jobs = append(trial.jobs, &kept)
	}
	if err := trial.work(turn); err != nil {
		return err
	}
	*m = trial
	for _, d := range turn.Docs {
		d.Rev++
		if m.docs[d.Kind+"/"+d.Key] = d; d.Body == nil {
			delete(m.docs, d.Kind+"/"+d.Key)
		}
		if d.Body != nil && len(d.Index) == 0 {
			d.Index = nil
			m.docs[d.Kind+"/"+d.Key] = d
		}
	}
	m.log += uint64(len(turn.Log))
	return nil
}

func (m *model) work(turn store.Turn) error {
	for _, j := range turn.Done {
		m.finish(j)
	}
	for _, j := range turn.Defer {
		if kept := m.find(j.Lane, j.Key); !kept.newer {
			j.Order = kept.Order
			kept.Job = m.normal(j)
		}
		m.letGo(m.find(j.Lane, j.Key))
	}
	for _, j := range turn.Replace {
		kept := m.find(j.Lane, j.Key)
		if kept == nil {
			m.jobs = append(m.jobs, &modelJob{Job: m.normal(j)})
			continue
		}
		fence := kept.Fence
		j.Order = kept.Order
		kept.Job = m.normal(j)
		kept.Fence, kept.newer = fence, kept.held
	}
	for _, j := range turn.Add {
		at, ok := m.done[j.Lane+"/"+j.Key]
		if m.find(j.Lane, j.Key) != nil || ok && m.now().Sub(at) < store.Memory {
			return store.ErrKept
		}
		m.jobs = append(m.jobs, &modelJob{Job: m.normal(j)})
	}
	for _, j := range m.jobs {
		if slices.Contains(turn.Release, j.Wait) {
			j.Wait, j.Due = "", m.now()
		}
	}
	return nil
}

func (m *model) finish(j store.Job) {
	kept := m.find(j.Lane, j.Key)
	if kept.newer {
		m.letGo(kept)
		return
	}
	m.jobs = slices.DeleteFunc(m.jobs, func(o *modelJob) bool { return o == kept })
	if j.Lane == Remembered {
		m.done[j.Lane+"/"+j.Key] = m.now()
	}
}

func (m *model) letGo(j *modelJob) { j.held, j.newer, j.Fence = false, false, 0 }

func (m *model) normal(j store.Job) store.Job {
	if j.Due.IsZero() {
		j.Due = m.now()
	}
	j.Due, j.Until, j.Fence = j.Due.UTC(), j.Until.UTC(), 0
	return j
}

// from is from when on a job could be claimed if it were alone; zero is never.
func (j *modelJob) from() time.Time {
	switch {
	case j.held:
		return j.expires
	case j.Wait != "":
		return j.Until
	}
	return j.Due
}

// aside says that a job steps aside for those behind it.
func (m *model) aside(j *modelJob) bool {
	return !j.held && j.Wait != "" && (j.Until.IsZero() || m.now().Before(j.Until))
}

// turn says that no other of the order comes before a job.
func (m *model) turn(j *modelJob) bool {
	for _, o := range m.jobs {
		if j.Order == "" || o.Lane != j.Lane || o.Order != j.Order || o == j || m.aside(o) {
			continue
		}
		older := slices.Index(m.jobs, o) < slices.Index(m.jobs, j)
		if o.held || older && !j.held {
			return false
		}
	}
	return true
}

func (m *model) claim(lane, key string, n int) []store.Job {
	var due []*modelJob
	for _, j := range m.jobs {
		mine := j.Lane == lane && (key == "" || j.Key == key)
		if mine && !m.aside(j) && m.turn(j) && !j.from().After(m.now()) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b *modelJob) int { return cmp.Compare(a.from().UnixMicro(), b.from().UnixMicro()) })
	var jobs []store.Job
	for _, j := range due[:min(n, len(due))] {
		if j.held {
			j.Tries++
		}
		j.held, j.newer, j.expires = true, false, m.now().Add(Lease)
		jobs = append(jobs, j.Job)
	}
	return jobs
}

// held notes the fence that the store gave.
func (m *model) held(lane, key string, fence uint64) {
	m.find(lane, key).Fence = fence
	m.fence = max(m.fence, fence)
}

// next is when something will be claimable if nothing but time happens; zero is
// never.
func (m *model) next(lane, key string) (next time.Time) {
	for _, j := range m.jobs {
		mine := j.Lane == lane && (key == "" || j.Key == key)
		at := j.from()
		if !mine || at.IsZero() || !m.aside(j) && !m.turn(j) {
			continue
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}
