package slack

import "maps"

// special is Slack's "several hundred a minute".
const special = 600

// methods are the Web API, with the scope and the tier of each.
var methods = map[string]method{
	"api.test":                     {"", special, "none", apiTest},
	"auth.test":                    {"", special, "any", authTest},
	"auth.revoke":                  {"", 50, "", authRevoke},
	"oauth.v2.access":              {"", special, "none", oauthAccess},
	"apps.connections.open":        {"connections:write", 50, "xapp", connectionsOpen},
	"chat.postMessage":             {"chat:write", special, "", postMessage},
	"chat.update":                  {"chat:write", 50, "", updateMessage},
	"chat.postEphemeral":           {"chat:write", 100, "", postEphemeral},
	"chat.delete":                  {"chat:write", 50, "", deleteMessage},
	"chat.getPermalink":            {"", special, "", permalink},
	"conversations.open":           {"im:write|mpim:write", 50, "", conversationsOpen},
	"conversations.info":           {"channels:read|groups:read|im:read|mpim:read", 50, "", conversationsInfo},
	"conversations.list":           {"channels:read|groups:read|im:read|mpim:read", 20, "", conversationsList},
	"conversations.members":        {"channels:read|groups:read|im:read|mpim:read", 100, "", conversationsMembers},
	"conversations.history":        {"channels:history|groups:history|im:history|mpim:history", 50, "", conversationsHistory},
	"conversations.replies":        {"channels:history|groups:history|im:history|mpim:history", 50, "", conversationsReplies},
	"files.getUploadURLExternal":   {"files:write", 100, "", getUploadURL},
	"files.completeUploadExternal": {"files:write", 100, "", completeUpload},
	"files.upload":                 {"", 20, "", func(*call) (answer, error) { return nil, refuse("method_deprecated") }},
	"files.info":                   {"files:read", 100, "", filesInfo},
	"files.delete":                 {"files:write", 50, "", filesDelete},
	"users.info":                   {"users:read", 100, "", usersInfo},
	"users.list":                   {"users:read", 20, "", usersList},
	"users.lookupByEmail":          {"users:read.email", 50, "", usersLookupByEmail},
	"usergroups.list":              {"usergroups:read", 20, "", usergroupsList},
	"usergroups.users.list":        {"usergroups:read", 20, "", usergroupsUsersList},
	"views.open":                   {"", 100, "", viewsOpen},
	"views.push":                   {"", 100, "", viewsPush},
	"views.update":                 {"", 100, "", viewsUpdate},
	"views.publish":                {"", 100, "", viewsPublish},
}

// apiTest echoes what it was told, but for the token: answers are in the history.
func apiTest(c *call) (answer, error) {
	args := maps.Clone(c.args)
	delete(args, "token")
	if c.has("error") {
		return nil, refusal{c.str("error"), answer{"args": args}}
	}
	return answer{"args": args}, nil
}
