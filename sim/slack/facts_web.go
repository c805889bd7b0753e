package slack

var webFacts = []Fact{
	{"6.1", "All wire forms; a token in a query or in JSON does not count", "always", "TestTokensAndScopes", false},
	{"6.1", "Wrong token type, missing scope with needed and provided", "edit App", "TestTokensAndScopes", false},
	{"6.1", "Error names of each method", "always", "TestRefusals", false},
	{"6.1", "429 with Retry-After, per method", "per_minute", "TestTierLimits", false},
	{"12", "apps.connections.open: tier 3 or tier 1", "per_minute", "TestEitherTierForOpens", true},
	{"11.3", "429 without Retry-After", "no_retry_after", "TestNoRetryAfter", false},
	{"6.1", "HTML for 5xx, resets, hangs, nonsense, fatal_error; before or after the effect", "fault", "TestFaults", false},
	{"11.3", "Latency", "latency latency_jitter", "TestLatencyJitterAndWarnings", false},
	{"6.1", "ok may carry a warning", "warning", "TestLatencyJitterAndWarnings", false},
	{"6.2", "One message a second a channel, short bursts", "post_per_second post_burst", "TestOneMessageASecondAChannel", false},
	{"6.2", "Answers have the shapes of Slack's official types", "always", "TestWireShapes", false},
	{"6.2", "conversations.open: 1 to 8 people, the bot left out; several are a group DM", "always", "TestGroupDMs", false},
	{"6.2", "Lists are paged; a cursor is its method's own", "always", "TestListsArePaged", false},
	{"6.2", "Lists of an org-wide token need team_id", "edit App", "TestGridPayloads", false},
	{"6.2", "usergroups: no_such_subteam, plan_upgrade_required", "edit Usergroup", "TestUsergroups", false},
	{"6.2", "views.push: from inside a modal, at most three", "always", "TestPushesFromInsideAModal", false},
	{"6.2", "Hashes, duplicate external ids, views above 250 KB", "always", "TestViewRefusals", false},
	{"6.2", "views.publish: hash_conflict, not_enabled", "edit App", "TestHomeTab", false},
	{"6.3", "chat.update: own messages, D ids, text alone removes blocks, no mark with blocks, 4,000", "always", "TestUpdateFollowsSlacksRules", false},
	{"6.2", "edit_window_closed", "edit_window", "TestEditWindow", false},
	{"6.3", "Text above 40,000 is cut on post", "always", "TestLongTextsAreCut", false},
	{"12", "msg_blocks_too_long: where", "blocks_text_max", "TestWebDials", true},
	{"6.3", "A U id opens the DM; with another name or icon it lands at Slackbot's", "always", "TestDressedMessagesLandAtSlackbot", false},
	{"6.3", "Ephemerals: members only, gone on reload, not updatable", "always", "TestEphemeralsAreForOneClient", false},
	{"11.3", "An ephemeral for somebody inactive is ok, and not shown", "away_refuses", "TestWebDials", true},
	{"12", "Metadata: its size limit", "metadata_max", "TestWebDials", true},
	{"12", "Metadata: the scope's name", "metadata_scope", "TestHistoryAndThreads", true},
	{"6.3", "chat:write.public lifts membership", "edit App", "TestPublicPosting", false},
	{"6.4", "views.update keeps what was typed where the ids stay", "always", "TestSubmissionAnswers", false},
	{"7", "Block Kit's limits, with JSON pointers", "lenient_blocks", "TestBlockRules", false},
	{"7", "What the official types refuse is refused", "always", "TestBlockRulesAgainstTheTypes", false},
	{"12", "Option values of 75 or 150", "option_value_max", "TestWebDials", true},
	{"7", "Charts of 12 series or slices, or 6", "chart_max", "TestWebDials", true},
	{"7", "Blocks that a workspace does not have yet; raw_number", "refused_blocks refuse_raw_number", "TestWebDials", true},
	{"7", "Pictures by slack_file: png, jpg, gif; the poster's own; id or url", "always", "TestUploadsAndPictures", false},
	{"11.3", "Uploads: begun, posted once, completed; the old method is refused", "file_max", "TestUploadsAreStrict", false},
}

var nounFacts = []Fact{
	{"6.5", "Deleted people lack most fields and are not found by mail; mail needs two scopes", "edit User", "TestPeopleByMail", false},
	{"6.5", "External: is_stranger false with a foreign team; never met: true; no locale", "bare_externals", "TestPeopleOfElsewhere", false},
	{"12", "is_email_confirmed and has_2fa for bot tokens", "hide_confirmed", "TestPeopleOfElsewhere", true},
	{"9", "Anyone who sees a message can click it; commands and shortcuts are the team's own", "always", "TestShortcuts", false},
	{"9", "A channel's id changes when a share is started", "old_channel_ids", "TestAChannelsIDChangesWhenAShareIsStarted", true},
	{"9", "After a share the invited side has a frozen channel with a new id", "always", "TestAChannelsIDChangesWhenAShareIsStarted", false},
	{"8", "An app behaves as its manifest says; a bad one installs nothing", "edit App", "TestManifest", false},
	{"8", "Token rotation: 12 h, refresh tokens once, at most two", "always", "TestTokensUnderRotation", false},
	{"6.1", "Revoked: one token, the other, or all", "edit App", "TestRevokingOneOfTheTokens", false},
	{"9", "Global shortcuts have no response_url, message shortcuts do", "edit App", "TestShortcuts", false},
	{"7", "Dates in each person's zone; rich_text is never parsed", "always", "TestTextAsEachPersonSeesIt", false},
}

// notSimulated names the facts without a row, and why.
var notSimulated = []string{
	"§1.1 Marketplace rules, and Slack's advice to use HTTP: no behaviour.",
	"§2.1 On Grid the person is asked which workspace a command is for: one workspace an app here.",
	"§2.4 `context` of app_home_opened with agent_view; assistant threads.",
	"§5 What clients do: their own matter, shown by slack-go in these tests and by Bolt JS in sim/judges/bolt.",
	"§6.1 `allowed_ip_address_ranges`: everything comes from loopback; an invalid_auth is a fault.",
	"§6.1 Limits of distributed apps outside the Marketplace on conversations.history: pagbot is none.",
	"§6.2 chat.scheduleMessage, and reminders of any kind.",
	"§6.3 Unfurling, notifications, and other clients than one per person.",
	"§7 blocks.validate, announced only.",
	"§8 apps.manifest.validate; functions, workflows, datastores, user tokens.",
	"§9 SAML and how people change their mail: edit the User.",
	"§11.4 The web UI: it is the demo's.",
	"§12 local-slack's pings, and Slack's own manifest validator.",
}

// NotSimulated names the facts that are not in the table, and why.
func NotSimulated() []string { return notSimulated }
