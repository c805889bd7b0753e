package entra

// shelf keeps PIM's things in the order in which they came, and finds them by
// what a call may name: so that a tenant of a hundred thousand activations
// answers as fast as one of ten.
type shelf[T any] struct {
	all    []T
	edges  map[edge][]T
	marked map[mark][]T
}

// mark is one thing's one property: the id, group, principal or creator.
type mark struct{ kind, id string }

func newShelf[T any]() shelf[T] { return shelf[T]{edges: map[edge][]T{}, marked: map[mark][]T{}} }

func (s *shelf[T]) put(x T, e edge, marks ...mark) {
	s.all = append(s.all, x)
	s.edges[e] = append(s.edges[e], x)
	for _, m := range append(marks, mark{"group", e.group}, mark{"principal", e.principal}) {
		if m.id != "" {
			m.id = fold(m.id)
			s.marked[m] = append(s.marked[m], x)
		}
	}
}

// at finds by one mark.
func (s *shelf[T]) at(kind, id string) []T { return s.marked[mark{kind, fold(id)}] }

// one finds by an id.
func (s *shelf[T]) one(id string) (x T) {
	if all := s.at("id", id); len(all) > 0 {
		return all[0]
	}
	return x
}

// part is the part of a collection that an answer can come from: the things
// with one of these marks, or all.
type part []mark

func pick[T any](s *shelf[T], p part) []T {
	if p == nil {
		return s.all
	}
	if len(p) == 1 {
		return s.at(p[0].kind, p[0].id)
	}
	var all []T
	for _, m := range p {
		all = append(all, s.at(m.kind, m.id)...)
	}
	return all
}
