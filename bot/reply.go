package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// teller says something to the person who sent an envelope.
type teller func(message) error

// reply answers where the person acted, or in a DM if Slack takes no more
// answers there.
func (b *Bot) reply(ctx context.Context, url, user string, m message) error {
	err := b.answer(ctx, url, m)
	if errors.Is(err, errGone) {
		return b.direct(ctx, user, m)
	}
	return err
}

// answer posts to a response URL: privately, where the person typed. Slack
// takes five such answers within 30 minutes.
func (b *Bot) answer(ctx context.Context, url string, m message) error {
	if url == "" {
		return errGone
	}
	return b.post(ctx, url, map[string]any{"response_type": "ephemeral", "replace_original": false, "text": m.text, "blocks": m.blocks})
}

// replace puts a message in the place of the one that was clicked.
func (b *Bot) replace(ctx context.Context, url string, m message) error {
	return b.post(ctx, url, map[string]any{"replace_original": true, "text": m.text, "blocks": m.blocks})
}

func (b *Bot) post(ctx context.Context, url string, what map[string]any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return fmt.Errorf("the answer was not taken: %s", resp.Status)
	case resp.StatusCode >= 400:
		return errGone
	}
	return nil
}

// errGone says that a response URL takes no more answers.
var errGone = errors.New("the response URL is used up or too old")
