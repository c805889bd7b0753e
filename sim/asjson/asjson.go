// Package asjson writes the simulators' answers as JSON.
package asjson

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

type obj = map[string]any

// Append appends an answer as the standard encoder would write it. Answers are
// nearly all maps, lists and short words, for which that takes three times as
// long; what is anything else is left to it.
func Append(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return text(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		if i := int64(v); i != 0 && float64(i) == v && -wide < i && i < wide {
			return strconv.AppendInt(b, i, 10)
		}
	case json.RawMessage: // written by Append itself
		if v != nil {
			return append(b, v...)
		}
	case obj:
		return object(b, v)
	case []obj:
		return list(b, v)
	case []any:
		return list(b, v)
	case []string:
		return list(b, v)
	}
	other, err := json.Marshal(v)
	if err != nil {
		panic(err) // an answer of ours that can't be said
	}
	return append(b, other...)
}

// wide is beyond the whole numbers that JSON writes without an exponent.
const wide = 1e15

func object(b []byte, o obj) []byte {
	if o == nil {
		return append(b, "null"...)
	}
	var space [24]string
	keys := slices.AppendSeq(space[:0], maps.Keys(o))
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(text(b, k), ':')
		b = Append(b, o[k])
	}
	return append(b, '}')
}

func list[T any](b []byte, all []T) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, x := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = Append(b, x)
	}
	return append(b, ']')
}

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (is [256]bool) {
	for c := ' '; c <= '~'; c++ {
		is[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return is
}()

// text writes plain words as they are, and leaves the rest alone.
func text(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, _ := json.Marshal(s)
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
