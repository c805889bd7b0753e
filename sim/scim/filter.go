package scim

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// term is one comparison of a filter.
type term struct{ attr, value string }

// is compares: ids mind their case, names do not.
func (t term) is(values map[string]string) bool {
	if t.attr == "id" || t.attr == "externalid" {
		return values[t.attr] == t.value
	}
	return strings.EqualFold(values[t.attr], t.value)
}

var comparison = regexp.MustCompile(`(?i)^\s*([a-z.]+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*(?:and\s+(.+))?$`)

// parse reads comparisons for equality, joined by and.
func parse(filter string) ([]term, error) {
	var all []term
	for filter != "" {
		m := comparison.FindStringSubmatch(filter)
		if m == nil {
			return nil, errors.New("the filter is not understood: " + filter)
		}
		var value string
		if err := json.Unmarshal([]byte(m[2]), &value); err != nil {
			return nil, err
		}
		all = append(all, term{strings.ToLower(m[1]), value})
		filter = m[3]
	}
	return all, nil
}
