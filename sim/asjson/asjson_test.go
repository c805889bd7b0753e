package asjson

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// Whatever an answer holds, it is written as the standard encoder would.
func TestEncode(t *testing.T) {
	leaf := rapid.OneOf(rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny(), rapid.Float64().AsAny(), rapid.Float64Range(-1e6, 1e6).AsAny(), rapid.Map(rapid.Int64(), func(i int64) any { return float64(i) }),
		rapid.SliceOf(rapid.String()).AsAny(), rapid.Just[any](nil))
	rapid.Check(t, func(t *rapid.T) {
		inner := rapid.MapOf(rapid.String(), leaf).Draw(t, "inner")
		o := obj{"inner": inner, "list": []obj{inner, {"a": 1}}, "none": []obj(nil), "no": obj(nil), "mixed": []any{inner, "x", json.RawMessage(Append(nil, inner)), json.RawMessage(nil)}, "typed": map[string]string{"k": "<v>"}}
		for k, v := range rapid.MapOf(rapid.String(), leaf).Draw(t, "outer") {
			o[k] = v
		}
		want, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(Append(nil, o)); got != string(want) {
			t.Fatalf("wrote %s\nwant  %s", got, want)
		}
	})
}
