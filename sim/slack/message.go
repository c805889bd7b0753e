package slack

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"pagbot/sim/asjson"
)

// Block is one block of Block Kit, as JSON has it.
type Block = map[string]any

// Message is one version of a message. Its blocks are shared: read, never write.
type Message struct {
	Channel   string    `json:"channel"`
	TS        string    `json:"ts"`
	Thread    string    `json:"thread_ts,omitempty"`
	User      string    `json:"user"`
	BotID     string    `json:"bot_id,omitempty"`
	App       string    `json:"app_id,omitempty"`
	Team      string    `json:"team,omitempty"`
	Text      string    `json:"text"`
	Blocks    []Block   `json:"blocks,omitempty"`
	Metadata  any       `json:"metadata,omitempty"`
	Files     []File    `json:"files,omitempty"`
	Ephemeral bool      `json:"is_ephemeral,omitempty"`
	To        string    `json:"to,omitempty"` // the only reader of an ephemeral message
	Edited    bool      `json:"edited,omitempty"`
	Revision  int       `json:"revision"` // 1 as posted, one more at every update
	At        time.Time `json:"at"`       // wire time of this version

	packed json.RawMessage // the blocks as JSON, until somebody looks: that takes a fifth of the place
}

// open is the message with its blocks to look at.
func (m *Message) open() Message {
	if m.Blocks == nil && m.packed != nil {
		if err := json.Unmarshal(m.packed, &m.Blocks); err != nil {
			panic(err) // it was packed here
		}
	}
	return *m
}

// rewrite gives the message other blocks.
func (m *Message) rewrite(ct content) { m.Blocks, m.packed = nil, ct.packed }

// message is a message with its earlier versions. Revision n is old[n-1] or the
// current one.
type message struct {
	Message
	old  []Message
	gone bool // deleted
}

func (m *message) version(n int) (Message, bool) {
	switch {
	case n == 0 || n == m.Revision:
		return m.open(), true
	case n > 0 && n <= len(m.old):
		return m.old[n-1].open(), true
	}
	return Message{}, false
}

// Revisions returns all versions of a message, the oldest first, also after
// its deletion.
func (w *World) Revisions(channel, ts string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.channels[channel]; c != nil && c.byTS[ts] != nil {
		m := c.byTS[ts]
		var all []Message
		for i := range m.old {
			all = append(all, m.old[i].open())
		}
		return append(all, m.open())
	}
	return nil
}

// json is the message as the Web API and payloads show it.
func (m Message) json() map[string]any {
	out := map[string]any{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": m.Team}
	if m.BotID != "" {
		out["bot_id"], out["app_id"] = m.BotID, m.App
	}
	if m.Blocks != nil {
		out["blocks"] = m.Blocks
	} else if m.packed != nil {
		out["blocks"] = m.packed
	}
	if m.Thread != "" {
		out["thread_ts"] = m.Thread
	}
	if m.Files != nil {
		out["files"] = m.Files
	}
	if m.Metadata != nil {
		out["metadata"] = m.Metadata
	}
	if m.Edited {
		out["edited"] = map[string]any{"user": m.User, "ts": m.TS}
	}
	return out
}

// add posts a message into a channel; the caller holds the lock.
func (w *World) add(c *channel, m Message) *message {
	m.Channel, m.TS, m.Revision, m.At = c.ID, w.stamp(), 1, time.Now()
	kept := &message{Message: m}
	c.messages = append(c.messages, kept)
	c.byTS[m.TS] = kept
	w.touch()
	return kept
}

// change makes a new version of a message.
func (w *World) change(m *message, edit func(*Message)) {
	was := m.Message
	if was.packed != nil {
		was.Blocks = nil
	}
	m.old = append(m.old, was)
	edit(&m.Message)
	m.Revision++
	m.At = time.Now()
	w.touch()
}

// remove takes a message out of sight; its versions stay readable for replays.
func (w *World) remove(c *channel, m *message) {
	m.gone = true
	c.messages = slices.DeleteFunc(c.messages, func(o *message) bool { return o == m })
	w.touch()
}

func (c *channel) live(ts string) *message {
	m := c.byTS[ts]
	if m == nil || m.gone {
		return nil
	}
	return m
}

// content is what a message says.
type content struct {
	text     string
	blocks   []Block
	packed   json.RawMessage // blocks, once they are checked
	hasText  bool
	hasBlock bool // given, perhaps empty
	metadata any
}

// content reads and checks text, blocks and metadata of a call.
func (c *call) content() (content, error) {
	out := content{text: c.str("text"), hasText: c.has("text")}
	if v, given := c.args["blocks"]; given && v != nil && v != "" && v != "null" {
		out.hasBlock = true
		var err error
		if out.blocks, err = c.blocks(); err != nil {
			return out, refuse("invalid_blocks_format")
		}
	}
	if c.has("metadata") {
		var meta struct {
			Type    string         `json:"event_type"`
			Payload map[string]any `json:"event_payload"`
		}
		if len(marshal(c.args["metadata"])) > c.app.dials.MetadataMax {
			return out, refuse("metadata_too_large")
		}
		if c.object("metadata", &meta) == nil && meta.Type != "" {
			out.metadata = map[string]any{"event_type": meta.Type, "event_payload": meta.Payload}
		}
	}
	err := c.w.checkMessage(c.app, &out)
	if out.blocks != nil {
		out.packed = asjson.Append(nil, out.blocks)
	}
	return out, err
}

// blocks reads a call's blocks into maps of their own. Plain maps and lists are
// what the decoder is fastest at.
func (c *call) blocks() ([]Block, error) {
	var list []any
	if err := c.object("blocks", &list); err != nil || list == nil {
		return nil, err
	}
	blocks := make([]Block, len(list))
	for i, v := range list {
		b, ok := v.(map[string]any)
		if !ok && v != nil {
			return nil, errors.New("a block must be an object")
		}
		blocks[i] = b
	}
	return blocks, nil
}

func (w *World) checkMessage(a *app, ct *content) error {
	problems := append(checkBlocks(ct.blocks, a.dials), w.checkFiles(a, ct.blocks, "/blocks")...)
	if len(problems) > 0 && !a.dials.LenientBlocks {
		plain := make([]string, len(problems))
		for i, p := range problems {
			plain[i] = p[len("[ERROR] "):]
		}
		return refusal{"invalid_blocks", answer{"errors": plain, "response_metadata": answer{"messages": problems}}}
	}
	if textLength(ct.blocks) > a.dials.BlocksTextMax {
		return refuse("msg_blocks_too_long")
	}
	w.fillIDs(ct.blocks)
	return nil
}

// fillIDs gives blocks and interactive elements the ids that Slack makes up.
func (w *World) fillIDs(blocks []Block) {
	for _, b := range blocks {
		if id, _ := b["block_id"].(string); id == "" {
			b["block_id"] = w.secret(4)[:5]
		}
		for _, e := range elementsOf(b) {
			if id, _ := e["action_id"].(string); id == "" && interactive(e) {
				e["action_id"] = w.secret(4)[:5]
			}
		}
	}
}

// elementsOf lists the elements that a person can use in a block.
func elementsOf(b Block) []map[string]any {
	var all []map[string]any
	add := func(v any) {
		if e, ok := v.(map[string]any); ok {
			all = append(all, e)
		}
	}
	switch b["type"] {
	case "actions", "context_actions":
		list, _ := b["elements"].([]any)
		for _, e := range list {
			add(e)
		}
	case "section":
		add(b["accessory"])
	case "input":
		add(b["element"])
	}
	return all
}

func interactive(e map[string]any) bool { return e["type"] != "image" }

// textLength sums all "text" strings.
func textLength(v any) int {
	sum := 0
	switch v := v.(type) {
	case []Block:
		for _, b := range v {
			sum += textLength(map[string]any(b))
		}
	case []any:
		for _, e := range v {
			sum += textLength(e)
		}
	case map[string]any:
		for name, e := range v {
			if s, ok := e.(string); ok && name == "text" {
				sum += utf8.RuneCountInString(s)
			} else {
				sum += textLength(e)
			}
		}
	}
	return sum
}

// clone copies plain JSON values deeply.
func clone[T any](v T) T {
	var out T
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return v
	}
	return out
}
