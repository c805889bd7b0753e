// Package bolt has Bolt JS, Slack's own framework, judge the simulated Slack.
package bolt

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"pagbot/sim/slack"
	"pagbot/sim/slack/official"
)

// TestJudgedByBolt runs judge.js, which needs Node and what npm ci installs
// beside it; so it runs only when asked to, by the script "run".
func TestJudgedByBolt(t *testing.T) {
	if os.Getenv("PAGBOT_JUDGE") == "" {
		t.Skip("Bolt judges when sim/judges/bolt/run is run")
	}
	w := slack.New(slack.Config{Seed: 11})
	defer w.Close()
	s := httptest.NewServer(w.Handler())
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	judge := exec.CommandContext(ctx, "node", "judge.js", s.URL)
	out, err := judge.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range official.Sent(w) { // to Bolt, whose types these are
		t.Error(err)
	}
}
