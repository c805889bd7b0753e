package entra

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// encodeJSON writes an answer as JSON, keys sorted. Answers are nearly all maps,
// lists and short words, for which the standard encoder takes three times as
// long; what is anything else is left to it.
func encodeJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return encodeString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case obj:
		return encodeObject(b, v)
	case []obj:
		return encodeList(b, v)
	case []any:
		return encodeList(b, v)
	case []string:
		return encodeList(b, v)
	}
	other, err := json.Marshal(v)
	if err != nil {
		panic(err) // an answer of ours that can't be said
	}
	return append(b, other...)
}

func encodeObject(b []byte, o obj) []byte {
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
		b = append(encodeString(b, k), ':')
		b = encodeJSON(b, o[k])
	}
	return append(b, '}')
}

func encodeList[T any](b []byte, all []T) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, x := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = encodeJSON(b, x)
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

// encodeString writes plain words as they are, and leaves the rest alone.
func encodeString(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, _ := json.Marshal(s)
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
