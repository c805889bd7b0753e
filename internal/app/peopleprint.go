package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"
)

// The other side of people.go: what the commands ask, and show.

// AskPeople lists everybody's accounts, as JSON.
func AskPeople(ctx context.Context, state string) ([]byte, error) {
	return exchange(ctx, state, http.MethodGet, "/people", nil)
}

// TellPeople has the serving process do something about people or keys: allow,
// unbind and signout take slack (and object, or all), rotate takes nothing.
func TellPeople(ctx context.Context, state, what string, about url.Values) ([]byte, error) {
	path := "/people/" + what
	if what == "rotate" {
		path = "/keys/rotate"
	}
	return exchange(ctx, state, http.MethodPost, path, about)
}

// PrintPeople shows them as a table.
func PrintPeople(w io.Writer, b []byte) error {
	var all []account
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "Nobody is known yet. People bind themselves with /pag signin in Slack.")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SLACK\tPERSON\tACCOUNT\tOBJECT ID\tKNOWN BY\tCONFIRMED\tSESSION UNTIL")
	for _, a := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Slack, a.Person, dash(a.Name), a.Object, a.By, day(a.Since, "never signed in"), day(a.Until, "-"))
	}
	return t.Flush()
}

// PrintTold says what came of TellPeople.
func PrintTold(w io.Writer, what string, b []byte) error {
	var did struct {
		Slack     string
		Until     time.Time
		Unbound   int
		File      int
		SignedOut int `json:"signed_out"`
		CalledOff int `json:"called_off"`
		Key       uint64
		Resealed  int
		Bindings  int
		Dropped   int
	}
	if err := json.Unmarshal(b, &did); err != nil {
		return err
	}
	switch {
	case what == "allow":
		fmt.Fprintf(w, "%s may bind one more account until %s, with /pag signin in Slack.\n", did.Slack, day(did.Until, ""))
	case what == "unbind":
		fmt.Fprintf(w, "%s: %s forgotten, and every session with it.\n", did.Slack, plural(did.Unbound, "binding"))
		if did.File > 0 {
			fmt.Fprintf(w, "The mapping file still names %s of theirs: who is to have none must be taken out there, too, and pagbot restarted.\n", plural(did.File, "account"))
		}
	case what == "signout" && did.Slack == "":
		fmt.Fprintf(w, "%s signed out. Their tokens are destroyed here; in Entra, Revoke sessions also ends what was copied before.\n", plural(did.SignedOut, "Slack user"))
	case what == "signout" && did.SignedOut == 0:
		fmt.Fprintf(w, "%s had no session.\n", did.Slack)
	case what == "signout":
		fmt.Fprintf(w, "%s is signed out: the token is destroyed here. In Entra, Revoke sessions also ends what was copied before.\n", did.Slack)
	case what == "rotate":
		fmt.Fprintf(w, "Key %d seals from now on: %s and %s sealed anew, %s dropped.\n", did.Key, plural(did.Resealed, "session"), plural(did.Bindings, "binding"), plural(did.Dropped, "older key"))
		fmt.Fprintln(w, "If signin.old_key is set, leave it out a day from now: links and confirmations from before are then over.")
	}
	if did.CalledOff > 0 {
		fmt.Fprintf(w, "%s that waited for a confirmation in the browser called off; the people are told.\n", plural(did.CalledOff, "deed"))
	}
	return nil
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

func day(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.Local().Format("2006-01-02 15:04")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
