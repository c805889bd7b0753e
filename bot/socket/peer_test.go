package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"pagbot/sim/pipe"
)

// peer plays Slack, on any listener.
type peer struct {
	host string
	tls  bool
	life float64 // what hello says

	open func(n int, w http.ResponseWriter) bool // true: has answered the n-th open itself
	link func(n int, s *side) bool               // true: no hello for the n-th connection

	mu    sync.Mutex
	opens []time.Time
	sides []*side
	acks  map[string][]seen
	all   chan struct{} // when not nil: receives once per ack
}

// seen is an acknowledgement as Slack saw it.
type seen struct {
	on      int
	at      time.Time
	payload json.RawMessage
}

// side is Slack's side of one connection.
type side struct {
	peer    *peer
	n       int
	ws      *websocket.Conn
	born    time.Time
	mu      sync.Mutex
	mute    atomic.Bool   // pings are not answered
	stuck   chan struct{} // when not nil: nothing is read until it is closed
	dead    bool          // the reader has ended
	end     error
	ended   time.Time
	cut     time.Time // when the test broke it: acks under way may have been lost
	pings   int
	closing bool // Slack has begun to close
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/link" {
		p.serve(w, r)
		return
	}
	if r.URL.Path != "/api/apps.connections.open" || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	p.opens = append(p.opens, time.Now())
	n := len(p.opens)
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Header.Get("Authorization") != "Bearer xapp-test":
		fmt.Fprint(w, `{"ok":false,"error":"invalid_auth"}`)
	case p.open != nil && p.open(n, w):
	default:
		scheme := map[bool]string{true: "wss", false: "ws"}[p.tls]
		fmt.Fprintf(w, `{"ok":true,"url":"%s://%s/link?ticket=secret-%d&app_id=A1"}`, scheme, p.host, n)
	}
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{ReadBufferSize: wireBuffer, CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	s := &side{peer: p, ws: ws, born: time.Now()}
	p.mu.Lock()
	s.n = len(p.sides)
	p.sides = append(p.sides, s)
	link := p.link
	p.mu.Unlock()
	pong := ws.PingHandler()
	ws.SetPingHandler(func(text string) error {
		s.mu.Lock()
		s.pings++
		s.mu.Unlock()
		if s.mute.Load() {
			return nil
		}
		return pong(text)
	})
	if link == nil || !link(s.n, s) {
		s.say(fmt.Sprintf(`{"type":"hello","num_connections":%d,"debug_info":{"host":"applink-%d","approximate_connection_time":%v}}`, p.alive(), s.n, p.life))
	}
	err = s.read()
	s.mu.Lock()
	s.dead, s.end, s.ended = true, err, time.Now()
	s.mu.Unlock()
}

func (s *side) read() error {
	for {
		s.mu.Lock()
		stuck := s.stuck
		s.mu.Unlock()
		if stuck != nil {
			<-stuck
		}
		_, b, err := s.ws.ReadMessage()
		if err != nil {
			return err
		}
		var a struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(b, &a) == nil {
			s.peer.note(a.ID, seen{s.n, time.Now(), a.Payload})
		}
	}
}

func (p *peer) note(id string, a seen) {
	p.mu.Lock()
	p.acks[id] = append(p.acks[id], a)
	all := p.all
	p.mu.Unlock()
	if all != nil {
		all <- struct{}{}
	}
}

func (s *side) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.ws.SetWriteDeadline(time.Now().Add(time.Minute))
	_ = s.ws.WriteMessage(websocket.TextMessage, []byte(text))
}

func (s *side) disconnect(reason string) {
	s.say(fmt.Sprintf(`{"type":"disconnect","reason":%q,"debug_info":{"host":"applink"}}`, reason))
}

func (s *side) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
}

func (s *side) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// closedWell says whether the client ended the connection with a close frame.
func (s *side) closedWell() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead && websocket.IsCloseError(s.end, websocket.CloseNormalClosure)
}

func slash(id string) string {
	return fmt.Sprintf(`{"envelope_id":%q,"type":"slash_commands","accepts_response_payload":true,"payload":{"token":"legacy","team_id":"T1",`+
		`"team_domain":"contoso","channel_id":"C1","channel_name":"approvals","user_id":"U1","command":"/pag","text":"activate db-admin 2h \"incident 42\"",`+
		`"api_app_id":"A1","is_enterprise_install":"false","response_url":"https://hooks.slack.com/commands/T1/1/x","trigger_id":"1.2.x"}}`, id)
}

func click(id string) string {
	return fmt.Sprintf(`{"envelope_id":%q,"type":"interactive","accepts_response_payload":false,"payload":{"type":"block_actions"}}`, id)
}

func (p *peer) alive() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.sides {
		if !s.isDead() {
			n++
		}
	}
	return n
}

func (p *peer) side(n int) *side {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n >= len(p.sides) {
		return nil
	}
	return p.sides[n]
}

func (p *peer) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sides)
}

func (p *peer) opened() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.opens...)
}

func (p *peer) acked(id string) []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]seen(nil), p.acks[id]...)
}

// network is one in memory, which can be down.
type network struct {
	*pipe.Listener
	down atomic.Bool
}

func newNetwork() *network { return &network{Listener: pipe.Listen()} }

// Dial connects to the peer, whatever the address.
func (n *network) Dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	if n.down.Load() {
		return nil, errors.New("network is unreachable")
	}
	return n.Listener.Dial(ctx, kind, addr)
}

func slashID(i int) string { return fmt.Sprintf("slash-%d", i) }

// deliver sends an envelope, unless Slack has begun to close.
func (s *side) deliver(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.dead {
		return false
	}
	_ = s.ws.SetWriteDeadline(time.Now().Add(time.Minute))
	return s.ws.WriteMessage(websocket.TextMessage, []byte(text)) == nil
}
