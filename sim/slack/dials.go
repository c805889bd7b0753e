package slack

import (
	"slices"
	"time"
)

// Seconds is a span of wire time as dials write it, in Go and in JSON.
type Seconds float64

// Duration converts to the time package's type.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Dials is the one table of everything adjustable; each field is reachable from
// Go (World.Turn) and over PATCH /manage/dials under its JSON name. The
// defaults are what is known of the real Slack. All can be turned for one app,
// too, but those that are for the world; those for a connection also for one of
// these.
type Dials struct {
	// Sockets.
	Distribution        string  `json:"distribution"`                          // random, round_robin, sticky, newest, oldest: which connection gets an envelope
	MaxConnections      int     `json:"max_connections"`                       // one more gets too_many_websockets
	CapDelay            Seconds `json:"cap_delay"`                             // from the handshake to too_many_websockets
	CapDropsOldest      bool    `json:"cap_drops_oldest"`                      // the oldest goes instead of the new one
	TicketLife          Seconds `json:"ticket_life"`                           // of the URL of apps.connections.open
	HelloDelay          Seconds `json:"hello_delay"`                           // after the handshake
	NoHello             bool    `json:"no_hello"`                              // never say hello
	PingEvery           Seconds `json:"ping_every" for:"a connection"`         // server pings; 0 is never
	PingText            string  `json:"ping_text" for:"a connection"`          // what they say
	PongDelay           Seconds `json:"pong_delay" for:"a connection"`         // how late client pings are answered
	DeadAfter           Seconds `json:"dead_after" for:"a connection"`         // a connection that silent is dropped; 0 is never
	IdleKill            Seconds `json:"idle_kill"`                             // a middlebox cuts a connection on which nothing moved; 0 is never
	Lifetime            Seconds `json:"lifetime"`                              // until a connection is refreshed; said in hello
	SkipWarning         bool    `json:"skip_warning" for:"a connection"`       // refresh_requested comes unannounced
	WarningGap          Seconds `json:"warning_gap" for:"a connection"`        // from warning to refresh_requested
	RefreshLinger       Seconds `json:"refresh_linger" for:"a connection"`     // from refresh_requested to the close
	StopAfterWarning    bool    `json:"stop_after_warning" for:"a connection"` // no new envelopes on a warned connection
	NoCloseFrame        bool    `json:"no_close_frame" for:"a connection"`     // the server just ends TCP
	LeaveTCPOpen        bool    `json:"leave_tcp_open" for:"a connection"`     // after the close handshake, until the client ends it
	DisconnectOnConnect string  `json:"disconnect_on_connect"`                 // a reason sent right after each hello (hot loop)
	GhostNext           int     `json:"ghost_next" for:"the World"`            // so many lost sockets stay registered
	GhostLife           Seconds `json:"ghost_life" for:"a connection"`         // how long a ghost stays; 0 is until ReapGhosts

	// Envelopes.
	AckDeadline        Seconds   `json:"ack_deadline"`                           // then the person sees operation_timeout
	AckLimit           int       `json:"ack_limit" for:"a connection"`           // acks of so many bytes are ignored
	AckOwnSocketOnly   bool      `json:"ack_own_socket_only" for:"a connection"` // ignore acks on another socket than the delivery's
	AcceptLateAcks     bool      `json:"accept_late_acks"`                       // after the deadline an ack still does what it says
	AcceptContinuation bool      `json:"accept_continuation" for:"a connection"` // acks in several frames count, too
	RedeliverUnacked   int       `json:"redeliver_unacked"`                      // slash commands and interactions, so many times
	EventRetries       []Seconds `json:"event_retries"`                          // waits before attempts 1, 2, 3
	DelayedEvents      bool      `json:"delayed_events"`                         // then hourly for a day
	EventsPerHour      int       `json:"events_per_hour"`                        // app_rate_limited above; 0 is no limit
	FailuresSwitchOff  bool      `json:"failures_switch_off"`                    // more than 95 % unacked of 1,000 an hour: no events for an hour
	HomeEventScope     string    `json:"home_event_scope"`                       // that app_home_opened needs
	EnvelopeDelay      Seconds   `json:"envelope_delay"`                         // before an envelope is sent
	EnvelopeJitter     Seconds   `json:"envelope_jitter"`                        // up to so much more, so that envelopes overtake one another
	AckDelay           Seconds   `json:"ack_delay" for:"a connection"`           // before an ack is taken: the way back
	DropRate           float64   `json:"drop_rate" for:"a connection"`           // chance that an envelope is lost on its way
	DuplicateRate      float64   `json:"duplicate_rate"`                         // chance that an envelope is sent twice, same id
	TriggerLife        Seconds   `json:"trigger_life"`                           // of a trigger_id
	TriggerGuideErrors bool      `json:"trigger_guide_errors"`                   // trigger_expired, trigger_exchanged, as the guide has them
	ResponseUses       int       `json:"response_uses"`                          // of a response_url
	ResponseLife       Seconds   `json:"response_life"`                          // of a response_url
	ResponseUsed       string    `json:"response_used"`                          // the error of a used-up response_url
	ResponseExpired    string    `json:"response_expired"`                       // the error of an expired one
	DeleteAlone        bool      `json:"delete_alone"`                           // delete_original counts only as the only attribute
	EnterpriseInstall  string    `json:"enterprise_install"`                     // is_enterprise_install of slash commands: string, bool, absent
	TrueChannelNames   bool      `json:"true_channel_names"`                     // channel_name instead of directmessage and privategroup
	ExtraFields        bool      `json:"extra_fields"`                           // envelopes and payloads carry names nobody knows
	ClicksAccept       bool      `json:"clicks_accept"`                          // envelopes of clicks say accepts_response_payload: true, as in Slack's documentation
	VisibleToMeansIt   bool      `json:"visible_to_means_it"`                    // visible_to_user_ids hides buttons from all others

	// Web API.
	Latency        map[string]Seconds `json:"latency"`                         // by method; "*" is for the rest
	LatencyJitter  Seconds            `json:"latency_jitter"`                  // up to so much more
	PostPerSecond  float64            `json:"post_per_second"`                 // chat.postMessage, per channel; 0 is unlimited
	PostBurst      int                `json:"post_burst"`                      // chat.postMessage, per channel
	PerMinute      map[string]int     `json:"per_minute"`                      // overrides a method's tier; 0 is unlimited
	Warning        string             `json:"warning"`                         // that every answer that is ok carries
	NoRetryAfter   bool               `json:"no_retry_after"`                  // 429 without the header
	EditWindow     Seconds            `json:"edit_window"`                     // chat.update later than that fails; 0 is never
	BlocksTextMax  int                `json:"blocks_text_max"`                 // msg_blocks_too_long above
	OptionValueMax int                `json:"option_value_max"`                // 75 say the types, 150 the documentation
	RefuseNumbers  bool               `json:"refuse_raw_number"`               // raw_number cells are invalid_blocks
	RefusedBlocks  []string           `json:"refused_blocks"`                  // types that this workspace does not have yet
	ChartMax       int                `json:"chart_max"`                       // series or slices of a chart: 12 or 6
	LenientBlocks  bool               `json:"lenient_blocks"`                  // blocks are not checked
	MetadataMax    int                `json:"metadata_max"`                    // bytes; metadata_too_large above
	MetadataScope  string             `json:"metadata_scope"`                  // that reading metadata needs
	AwayRefuses    string             `json:"away_refuses"`                    // the error of an ephemeral for somebody inactive; none is ok
	HideConfirmed  bool               `json:"hide_confirmed"`                  // no is_email_confirmed and has_2fa for bot tokens
	BareExternals  bool               `json:"bare_externals"`                  // people of other organizations lack most fields
	OldChannelIDs  bool               `json:"old_channel_ids" for:"the World"` // still work after a share was started
	FileMax        int                `json:"file_max"`                        // bytes of an upload
	KeepHistory    int                `json:"keep_history" for:"the World"`    // entries, at most twice that; 0 is all
}

// Defaults are the dials of a healthy Slack.
func Defaults() Dials {
	return Dials{
		Distribution: "random", MaxConnections: 10, CapDelay: 0.01, TicketLife: 30, PingEvery: 8, PingText: "Ping from applink-sim", DeadAfter: 60,
		Lifetime: 3600, WarningGap: 10, RefreshLinger: 2,
		AckDeadline: 3, AckLimit: 20480, EventRetries: []Seconds{0, 60, 300}, EventsPerHour: 30000,
		TriggerLife: 3, ResponseUses: 5, ResponseLife: 1800, ResponseUsed: "used_url", ResponseExpired: "expired_url", EnterpriseInstall: "string",
		PostPerSecond: 1, PostBurst: 3, BlocksTextMax: 13200, OptionValueMax: 75, ChartMax: 12, MetadataMax: 16 << 10, MetadataScope: "metadata.message:read",
		FileMax: 1 << 30,
	}
}

// Fault strikes the next calls of a method, by one app or by any.
type Fault struct {
	Method     string  `json:"method"`                // "*" is any; "response_url" is those
	App        string  `json:"app,omitempty"`         // whose; any if empty
	Kind       string  `json:"kind"`                  // status, error, hang, reset, empty, bad_json
	Status     int     `json:"status,omitempty"`      // for kind status: 429, 500, 503…, with an HTML body
	Error      string  `json:"error,omitempty"`       // for kind error: ok:false with this
	After      bool    `json:"after,omitempty"`       // the effect takes place first
	RetryAfter Seconds `json:"retry_after,omitempty"` // the header, if set
	Count      int     `json:"count,omitempty"`       // how often; 0 is once
}

// Fail queues a fault; the first that fits a call is used up.
func (w *World) Fail(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Count = max(f.Count, 1)
	w.faults = append(w.faults, &f)
}

// Heal drops all queued faults.
func (w *World) Heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// fault takes the fault that strikes this call, if any; the app is whose it is,
// if anybody's.
func (w *World) fault(method string, by func() *app) *Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := by()
	for i, f := range w.faults {
		if f.Method != method && f.Method != "*" || f.App != "" && (a == nil || a.ID != f.App) {
			continue
		}
		if f.Count--; f.Count == 0 {
			w.faults = slices.Delete(w.faults, i, i+1)
		}
		hit := *f
		return &hit
	}
	return nil
}

// latency is how long a call takes; the app is whose it is, if anybody's.
func (w *World) latency(method string, by func() *app) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.dials
	if a := by(); a != nil {
		d = a.dials
	}
	base, ok := d.Latency[method]
	if !ok {
		base = d.Latency["*"]
	}
	if d.LatencyJitter > 0 {
		base += d.LatencyJitter * Seconds(w.rng.Float64())
	}
	return base.Duration()
}
