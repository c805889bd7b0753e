package socket

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// frame is anything that Slack sends.
type frame struct {
	Type           string `json:"type"`
	EnvelopeID     string `json:"envelope_id"`
	Reason         string `json:"reason"`
	NumConnections int    `json:"num_connections"`
	Debug          struct {
		Host string  `json:"host"`
		Life float64 `json:"approximate_connection_time"`
	} `json:"debug_info"`
}

// parse reads a frame. A field of an unexpected type stays empty and is no
// error: losing a person's click over a field that nobody looks at would be.
func parse(raw []byte) (frame, error) {
	var f frame
	var kind *json.UnmarshalTypeError
	err := json.Unmarshal(raw, &f)
	if errors.As(err, &kind) && (f.EnvelopeID != "" || f.Type != "") {
		err = nil
	}
	return f, err
}

func (f frame) envelope(raw []byte, now time.Time) Envelope {
	return Envelope{ID: f.EnvelopeID, Type: f.Type, Raw: raw, Received: now}
}

// life is how long Slack means to keep the connection; 0 if it doesn't say.
func (f frame) life() time.Duration {
	const most = 7 * 24 * 3600 // beyond any sense, and far from overflowing
	return time.Duration(min(max(f.Debug.Life, 0), most) * float64(time.Second))
}

// encodeAck makes the frame that acknowledges an envelope.
func encodeAck(id string, payload any) ([]byte, error) {
	b, err := json.Marshal(struct {
		ID      string `json:"envelope_id"`
		Payload any    `json:"payload,omitempty"`
	}{id, payload})
	if err == nil && len(b) >= MaxAck {
		err = fmt.Errorf("the acknowledgement has %d bytes, and Slack ignores it from %d on: acknowledge empty and answer by response_url", len(b), MaxAck)
	}
	return b, err
}
