package activation

import (
	"testing"
	"time"
)

// What an answer claims stays what it claims, through the span and its codec.
func TestClaims(t *testing.T) {
	at := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		a    Answer
		want Claim
	}{
		{Answer{Says: Yes, Level: L0}, "listed"},
		{Answer{Says: Yes, Level: L0, Configured: true}, "configured"},
		{Answer{Says: Yes, Level: L1}, "received"},
		{Answer{Says: Yes, Level: L2}, "effective"},
		{Answer{Says: Yes, Level: L3}, "effective"},
		{Answer{Says: Yes, Level: L3, Configured: true}, "effective"}, // the target itself was asked
	} {
		c.a.Sent, c.a.Received = at.Add(time.Minute), at.Add(time.Minute)
		s, _ := Span{State: Waiting}.settle(Grant, c.a, time.Time{}, at)
		e := EvSpan{Target: "x", Direction: Grant, Span: s, At: at}
		b, err := Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := back.(EvSpan).Span.Claim(); got != c.want {
			t.Errorf("%+v claims %q, want %q", c.a, got, c.want)
		}
	}
}
