package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"
	"golang.org/x/sync/errgroup"
)

// batchMost is how many requests Graph takes in one $batch.
const batchMost = 20

// lists reads many collections at once, twenty in a call, so that hundreds of
// groups take no longer than one. Each has its own fate at Graph: what comes
// back otherwise than well, or not at all, is read again by itself, and there
// it is that errors are explained.
func lists[T any](ctx context.Context, c caller, infos []*abs.RequestInformation) ([][]T, error) {
	all := make([][]T, len(infos))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for from := 0; from < len(infos); from += batchMost {
		some := infos[from:min(from+batchMost, len(infos))]
		work.Go(func() error {
			pages := c.pages(ctx, some)
			for i, info := range some {
				rows, err := rest[T](ctx, c, info, pages[i])
				if err != nil {
					return err
				}
				all[from+i] = rows
			}
			return nil
		})
	}
	return all, work.Wait()
}

// rest makes a whole list of its first page, which may be missing.
func rest[T any](ctx context.Context, c caller, info *abs.RequestInformation, first json.RawMessage) ([]T, error) {
	var page struct {
		Value *[]T   `json:"value"`
		Next  string `json:"@odata.nextLink"`
	}
	if json.Unmarshal(first, &page) != nil || page.Value == nil {
		return list[T](ctx, c, info, nil)
	}
	if page.Next == "" {
		return *page.Value, nil
	}
	next, err := c.follow(page.Next, map[string]bool{})
	more, err := list[T](ctx, c, next, err)
	return append(*page.Value, more...), err
}

// pages asks for the first pages of some collections in one call; nil for one
// that did not come.
func (c caller) pages(ctx context.Context, infos []*abs.RequestInformation) []json.RawMessage {
	type inner struct {
		ID     string `json:"id"`
		Method string `json:"method"`
		URL    string `json:"url"`
	}
	pages := make([]json.RawMessage, len(infos))
	if len(infos) == 1 {
		return pages // one is asked for as it is
	}
	var body struct {
		Requests []inner `json:"requests"`
	}
	for i, info := range infos {
		info.PathParameters["baseurl"] = c.root.String()
		u, err := info.GetUri()
		if err != nil {
			return pages
		}
		body.Requests = append(body.Requests, inner{strconv.Itoa(i), http.MethodGet, strings.TrimPrefix(u.String(), c.root.String())})
	}
	ask := abs.NewRequestInformation()
	ask.SetUri(*c.root.JoinPath("$batch"))
	var got struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	if carry(ask, abs.POST, body) != nil || c.readInto(ctx, ask, &got) != nil {
		return pages
	}
	for _, r := range got.Responses {
		if i, err := strconv.Atoi(r.ID); err == nil && i >= 0 && i < len(pages) && r.Status == http.StatusOK {
			pages[i] = r.Body
		}
	}
	return pages
}
