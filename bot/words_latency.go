package bot

import (
	"time"

	"fmt"
	"strings"

	"pagbot/activation"
)

const (
	sayNoMeasures  = "I keep no measurements here."
	sayPictureSent = "The picture is in our direct messages."
	sayPictureLost = "The picture could not be sent. Please try again in a moment."
	sayNoDirect    = "The picture could not be sent: Slack doesn't let me write to you directly."
)

func sayUnknownMeasure(typed string) string {
	return fmt.Sprintf("I know no group or system “%s”. `/pag latency` shows what I measured of all.", lit(short(typed)))
}

// sayMeasured is what a picture shows, in words.
func sayMeasured(d Drawing) string {
	s := ":stopwatch: *" + lit(d.Title) + "*"
	for _, line := range d.Lines {
		s += "\n• " + lit(line)
	}
	return s
}

// sayUsually is what a person who waits may expect: never a promise.
func sayUsually(all []string, toward activation.Direction) string {
	if len(all) == 0 {
		return ""
	}
	if more := len(all) - 5; more > 0 {
		all = append(all[:5:5], fmt.Sprintf("and %d more", more))
	}
	if toward == activation.Removal {
		return "How long it takes to go: " + strings.Join(all, "; ") + "."
	}
	return "How long it takes: " + strings.Join(all, "; ") + "."
}

// sayLooks is how often is looked, in whole minutes; empty: that is not known.
func sayLooks(every time.Duration) string {
	if every <= 0 {
		return ""
	}
	return fmt.Sprintf("I look at least every %s.", span((every + time.Minute - 1).Truncate(time.Minute)))
}
