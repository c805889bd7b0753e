package typed

import (
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain says what is wrong: all there is, but of a union only what is wrong by
// the types that have the value's "type", or that there is none.
func explain(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		return []string{e.Error()}
	}
	causes := e.Causes
	if _, union := e.ErrorKind.(*kind.AnyOf); union {
		causes = slices.DeleteFunc(slices.Clone(causes), func(c *jsonschema.ValidationError) bool {
			return other(c, len(e.InstanceLocation)) != nil
		})
		if len(causes) == 0 {
			return []string{fmt.Sprintf("at %v: there is no type %v here", e.InstanceLocation, other(e.Causes[0], len(e.InstanceLocation)).Got)}
		}
	}
	var all []string
	for _, c := range causes {
		all = append(all, explain(c)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// other finds out that an alternative is of another type than the value that
// lies so deep.
func other(e *jsonschema.ValidationError, depth int) *kind.Const {
	at := e.InstanceLocation
	if is, ok := e.ErrorKind.(*kind.Const); ok && len(at) == depth+1 && at[depth] == "type" {
		return is
	}
	if len(at) > depth {
		return nil
	}
	_, union := e.ErrorKind.(*kind.AnyOf)
	var found *kind.Const
	for _, c := range e.Causes {
		is := other(c, depth)
		if union && is == nil {
			return nil
		}
		if is != nil {
			found = is
		}
	}
	return found
}
