package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// formMax is how much of a form is read.
const formMax = 10 << 20

// arguments reads all wire forms: JSON with the token in the header only, forms
// with the token in the body or header, GET with arguments in the query. A
// token in a query is not looked at.
func arguments(r *http.Request) (map[string]any, string, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	args := map[string]any{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		body, err := io.ReadAll(io.LimitReader(r.Body, 2<<20))
		if err != nil || len(strings.TrimSpace(string(body))) == 0 {
			return args, token, err
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			return args, token, refuse("invalid_json")
		}
		o, ok := v.(map[string]any)
		if !ok {
			return args, token, refuse("json_not_object")
		}
		delete(o, "token")
		return o, token, nil
	}
	if err := readForm(r, kind, args); err != nil {
		return args, token, refuse("invalid_form_data")
	}
	if said, _ := args["token"].(string); token == "" {
		token = said
	}
	if readPairs(r.URL.RawQuery, args) != nil {
		return args, token, refuse("invalid_form_data")
	}
	return args, token, nil
}

// readForm reads what was posted. It is what http.Request.ParseForm does, with a
// third of the copies: most calls come this way.
func readForm(r *http.Request, kind string, args map[string]any) error {
	if kind == "multipart/form-data" {
		if err := r.ParseMultipartForm(2 << 20); err != nil {
			return err
		}
		for name := range r.PostForm {
			args[name] = r.PostForm.Get(name)
		}
		return nil
	}
	if kind != "application/x-www-form-urlencoded" || r.Method != http.MethodPost {
		return nil
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0)+bytes.MinRead, formMax)))
	if n, err := io.Copy(&body, io.LimitReader(r.Body, formMax+1)); err != nil || n > formMax {
		return errors.Join(err, errors.New("a form that long can't be read"))
	}
	return readPairs(body.String(), args)
}

// readPairs reads name=value&…; of two alike the first counts.
func readPairs(raw string, args map[string]any) error {
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || strings.Contains(pair, ";") {
			return errors.New("a form with a semicolon or a bad escape")
		}
		if _, there := args[name]; there || pair == "" {
			continue
		}
		if args[name], err = url.QueryUnescape(value); err != nil {
			return err
		}
	}
	return nil
}
