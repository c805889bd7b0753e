package downstream

import "time"

// sessions is how long a session that was begun with the access may live on
// after the target itself has forgotten it, by the kind of target. Where
// nothing is documented, or it is the operator's to know, nothing is claimed.
var sessions = map[string]time.Duration{
	"devops":     time.Hour,        // documented: elevated access may remain up to an hour
	"intune":     90 * time.Minute, // assumed: the life of an access token
	"defender":   90 * time.Minute, // assumed: the same
	"roles":      75 * time.Minute, // tokens carry a directory role until they end
	"rbac":       90 * time.Minute, // assumed: the life of an access token
	"aws":        time.Hour,        // the default of a permission set; up to 12 hours are possible
	"kubernetes": 75 * time.Minute, // documented: tokens can't be revoked
	"ldap":       10 * time.Hour,   // the default life of a Kerberos ticket
}

// Sessions is how long older sessions may outlive the no of a target of that
// kind, unless configured otherwise; zero: not known.
func Sessions(kind string) time.Duration { return sessions[kind] }
