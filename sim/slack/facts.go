package slack

// A Fact is one thing that is known, or not known, of the real Slack, and how
// this one shows it.
type Fact struct {
	About string `json:"about"`          // the section of the book of facts
	Text  string `json:"text"`           // what the real one does
	Dial  string `json:"dial"`           // dials by their JSON names; "always", "fault" (POST /manage/faults, …/sockets), or what is edited live
	Test  string `json:"test"`           // that shows it; and where the bot lives it both ways
	Open  bool   `json:"open,omitempty"` // the book is unsure: the dial has it both ways
}

// Facts is the whole table; docs/worlds-slack.md is made from it.
func Facts() []Fact {
	var all []Fact
	for _, part := range [][]Fact{socketFacts, envelopeFacts, webFacts, nounFacts} {
		all = append(all, part...)
	}
	return all
}

var socketFacts = []Fact{
	{"1.1", "apps.connections.open takes an app token, in the header alone, by POST alone", "always", "TestTokensAndScopes", false},
	{"1.1", "A ticket opens one socket; it is in no log", "always", "TestHelloTicketAndCap", false},
	{"1.1", "The URL is not durable", "ticket_life", "TestTicketsExpire", false},
	{"1.1", "debug_reconnects cuts a life to 360 s", "always", "TestDebugReconnectsCutsTheLife", false},
	{"1.1", "… and makes none longer", "always", "TestDebugReconnectsMakesNoLifeLonger", false},
	{"1.1", "Without interactivity there are no block_actions", "edit App", "TestAppsWithoutInteractivity", false},
	{"1.2", "hello comes first, with num_connections and approximate_connection_time", "no_hello hello_delay lifetime", "TestSocketDials", false},
	{"1.2", "warning, 10 s later refresh_requested, then the close", "warning_gap lifetime", "TestRefreshAtTheEndOfALife", false},
	{"1.2", "refresh_requested may come unannounced, and TCP end without a close frame", "skip_warning no_close_frame", "TestSocketDials", false},
	{"1.2", "Switching Socket Mode off says link_disabled", "edit App", "TestSwitchingSocketModeOff", false},
	{"1.2", "A reason that nobody knows, at any time or at every connect", "disconnect_on_connect", "TestDisconnectReasonsAndReset", false},
	{"1.2", "The eleventh gets too_many_websockets as its first frame, about 10 ms after the handshake, then 1006", "max_connections cap_delay", "TestCapDelayAndDeadAfter", false},
	{"12", "Which connection goes at the cap", "cap_drops_oldest", "TestTheCap; e2e: TestUnsettledSockets", true},
	{"1.3", "A payload goes to any one connection, never to all", "distribution", "TestAnyOneConnectionNeverAll", false},
	{"1.3", "The same, always in turn or always to one", "distribution", "TestStickyDistribution", false},
	{"1.3", "Ghosts are counted, get envelopes, and swallow them", "ghost_next", "TestGhostsSwallowEnvelopes", false},
	{"12", "How long a ghost lives", "ghost_life", "TestGhostsOfLostSockets; e2e: TestUnsettledSockets", true},
	{"1.3", "Half-open: nothing is read, written or closed", "always", "TestHalfOpenIsSilent", false},
	{"1.3", "A half-open connection is forgotten when a ghost is", "ghost_life", "TestHalfOpenSocketsAreForgottenAsGhostsAre", false},
	{"1.3", "An abrupt reset", "always", "TestDisconnectReasonsAndReset", false},
	{"1.4", "Slack pings, with a text", "ping_every ping_text", "TestPingsSaySomething", false},
	{"12", "How often, or never", "ping_every", "TestServerThatNeverPings; e2e: TestUnsettledLife", true},
	{"1.4", "Pongs may be late", "pong_delay", "TestLatePongs", false},
	{"1.4", "A client that answers no pings is dropped", "dead_after", "TestSilentClientsAreDropped", false},
	{"1.4", "A middlebox cuts idle connections", "idle_kill", "TestMiddleboxKillsTheIdle", false},
	{"12", "Whether a warned connection still gets envelopes, and when it closes after refresh_requested", "stop_after_warning refresh_linger", "TestDeliveryAfterTheWarning; e2e: TestUnsettledSockets", true},
	{"5.3", "TCP may stay open after the close handshake", "leave_tcp_open", "TestTCPLeftOpenAfterTheHandshake", false},
	{"5.1", "Bolt JS closes first, and is back after 5.5 s", "always", "sim/judges/bolt", false},
}

var envelopeFacts = []Fact{
	{"2.1-2.4", "Payloads have the shapes of Slack's official types", "always", "TestOfficialTypes", false},
	{"2.1", "is_enterprise_install is a string, a bool or absent", "enterprise_install", "TestGridPayloads", false},
	{"2.1", "channel_name is directmessage in a DM, privategroup in private channels", "true_channel_names", "TestChannelNamesInPayloads; e2e: TestUnsettledLife", true},
	{"2.1", "No slash commands in threads, none for people of elsewhere", "always", "TestShortcuts", false},
	{"2.1", "The app installed last gets the command", "always", "TestTheAppInstalledLastGetsTheCommand", false},
	{"2.1", "should_escape turns mentions and links into ids", "edit App", "TestEscaping", false},
	{"2.2", "team is null for an org-wide app", "edit App", "TestGridPayloads", false},
	{"2.2", "A click's envelope says that it takes no answer, or (in the documentation) that it does; an answer in its ack is none", "clicks_accept", "TestAnswersInAcks", false},
	{"3", "in_channel shows the typed command, too; ephemeral, the default, shows others nothing", "always", "TestAnswersInAcks", false},
	{"2.2", "Unknown extra fields", "extra_fields", "TestEnvelopeDials", false},
	{"2.2", "A click in a modal has container and view, no channel, message or response_url", "always", "TestPushesFromInsideAModal", false},
	{"2.3", "response_urls only for channel inputs that ask for one", "always", "TestResponseURLsOfAForm", false},
	{"2.3", "view_closed only with notify_on_close; Cancel gives that view, the x the first one", "always", "TestClosingModals", false},
	{"2.4", "Events carry the wrapper; app_home_opened has the view once one was published", "always", "TestHomeTab", false},
	{"2.5", "Options: asked from min_query_length (3), at most 100, in 3 s", "always", "TestBadOptionsAreRefused", false},
	{"3", "Errors only for input blocks; update, push, clear; a bare ack closes one", "always", "TestSubmissionAnswers", false},
	{"3", "3 s to ack, then the person sees a timeout", "ack_deadline", "TestNoAckIsATimeoutAndALateAckIsDiscarded", false},
	{"11.2", "Whether a late ack still counts", "accept_late_acks", "TestLateAcks; e2e: TestUnsettledAway", true},
	{"3", "An ack of 20,480 bytes or more is ignored", "ack_limit", "TestAckRules", false},
	{"3", "An ack in several frames is ignored", "accept_continuation", "TestSplitAcks; e2e: TestUnsettledSockets", true},
	{"12", "Whether an ack on another socket counts", "ack_own_socket_only", "TestAcksOnAnotherSocket; e2e: TestUnsettledSockets", true},
	{"4", "Unacked events come again: at once, after 1 min, after 5 min", "event_retries", "TestUnackedEventsAreRetried", false},
	{"12", "Whether unacked events come again on sockets, as written for HTTP", "event_retries", "TestUnackedEventsAreRetried; e2e: TestUnsettledAway", true},
	{"4", "Events raised while no socket was open come later", "event_retries", "TestEventsWaitForASocket", false},
	{"12", "Delayed Events on sockets: hourly for a day", "delayed_events", "TestDelayedEvents; e2e: TestUnsettledAway", true},
	{"12", "More than 95 % failures switch events off, on sockets too", "failures_switch_off", "TestFailuresSwitchEventsOff; e2e: TestUnsettledAway", true},
	{"4", "Over 30,000 events an hour: app_rate_limited, once a minute", "events_per_hour", "TestTooManyEvents", false},
	{"4", "The same envelope twice, retry_attempt 0", "duplicate_rate", "TestDuplicates", false},
	{"12", "Whether slash commands and clicks are redelivered", "redeliver_unacked", "TestUnackedCommandsAreNotRedelivered; e2e: TestUnsettledAway", true},
	{"11.2", "Envelopes are late, lost, or overtake one another", "envelope_delay drop_rate envelope_jitter ack_delay", "TestEnvelopesOvertakeOneAnother", false},
	{"12", "Which scope app_home_opened needs; other events need theirs", "home_event_scope", "TestEventsNeedTheirScopes; e2e: TestUnsettledLife", true},
	{"6.4", "trigger_id: 3 s, once", "trigger_life", "TestTriggersAreBriefAndForOnce", false},
	{"6.4", "Two sets of names for its errors", "trigger_guide_errors", "TestTriggerErrorsAsTheGuideHasThem; e2e: TestUnsettledAnswers", true},
	{"6.4", "response_url: 5 uses in 30 min, ephemeral, in_channel, replace, delete, thread", "response_uses response_life", "TestResponseURL", false},
	{"12", "The error of a used-up or expired one", "response_used response_expired", "TestResponseURLDials; e2e: TestUnsettledAnswers", true},
	{"6.4", "delete_original as the only attribute", "delete_alone", "TestResponseURLDials", true},
	{"12", "visible_to_user_ids is cosmetic", "visible_to_means_it", "TestButtonsForSomeEyes", true},
	{"9", "Old cards and forged clicks", "always", "TestForgedAndOldClicks", false},
}
