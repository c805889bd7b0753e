package slack

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
)

// A tap reads a client's WebSocket frames beside the library, which puts split
// messages together again: Slack seems not to. Only the goroutine that reads
// the connection uses it.
type tap struct {
	net.Conn
	head  []byte
	skip  uint64 // of the current frame's body
	split bool   // the current message came in several frames
	whole []bool // one for each finished message that nobody asked about
}

// tapped hands the upgrader a tap instead of the connection.
type tapped struct {
	http.ResponseWriter
	tap *tap
}

// Hijack implements http.Hijacker.
func (t *tapped) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	t.tap = &tap{Conn: nc}
	return t.tap, rw, nil
}

// SetLinger lets a reset through to TCP.
func (t *tap) SetLinger(sec int) error {
	if l, ok := t.Conn.(interface{ SetLinger(int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

// Read implements net.Conn.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.scan(p[:n])
	return n, err
}

func (t *tap) scan(b []byte) {
	for len(b) > 0 {
		if t.skip > 0 {
			k := min(t.skip, uint64(len(b)))
			t.skip, b = t.skip-k, b[k:]
			continue
		}
		t.head, b = append(t.head, b[0]), b[1:]
		if t.begun() {
			t.head = t.head[:0]
		}
	}
}

// begun reads a frame's header, once it is complete.
func (t *tap) begun() bool {
	if len(t.head) < 2 {
		return false
	}
	length, more := uint64(t.head[1]&0x7f), 0
	switch length {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	mask := 0
	if t.head[1]&0x80 != 0 {
		mask = 4
	}
	if len(t.head) < 2+more+mask {
		return false
	}
	if more > 0 {
		wide := make([]byte, 8)
		copy(wide[8-more:], t.head[2:2+more])
		length = binary.BigEndian.Uint64(wide)
	}
	t.skip = length
	last, code := t.head[0]&0x80 != 0, t.head[0]&0x0f
	if code <= 2 { // continuation, text, binary; the rest are control frames
		t.split = code == 0 || !last
		if last {
			t.whole = append(t.whole, !t.split)
		}
	}
	return true
}

// next says whether the message that was read now came in one frame.
func (t *tap) next() bool {
	whole := t.whole[0]
	t.whole = t.whole[1:]
	return whole
}
