package signin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// rewrite spoils the token endpoint's answers.
func (w *world) rewrite(change func(answer, id map[string]any)) {
	authority := w.hosts["login.example"]
	w.hosts["login.example"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/token") {
			authority.ServeHTTP(rw, r)
			return
		}
		rec := httptest.NewRecorder()
		authority.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(rec.Code)
			_, _ = rw.Write(rec.Body.Bytes())
			return
		}
		var answer map[string]any
		w.must(json.Unmarshal(rec.Body.Bytes(), &answer))
		parts := strings.Split(answer["id_token"].(string), ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		w.must(err)
		var id map[string]any
		w.must(json.Unmarshal(raw, &id))
		change(answer, id)
		raw, err = json.Marshal(id)
		w.must(err)
		if _, ok := answer["id_token"]; ok {
			answer["id_token"] = parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw) + "." + parts[2]
		}
		rw.Header().Set("Content-Type", "application/json")
		w.must(json.NewEncoder(rw).Encode(answer))
	})
}

// What the token endpoint says is believed only as far as it answers us, about
// our tenant, just now.
func TestTokenAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(answer, id map[string]any)
		says   string
	}{
		"for another app":    {func(_, id map[string]any) { id["aud"] = "11111111-1111-4111-8111-111111111111" }, "was not for this"},
		"no nonce":           {func(_, id map[string]any) { delete(id, "nonce") }, "was not for this"},
		"another tenant":     {func(_, id map[string]any) { id["tid"] = "11111111-1111-4111-8111-111111111111" }, "another organization"},
		"no tenant":          {func(_, id map[string]any) { delete(id, "tid") }, "another organization"},
		"no object":          {func(_, id map[string]any) { delete(id, "oid") }, "Wrong account"},
		"no auth_time":       {func(_, id map[string]any) { delete(id, "auth_time") }, "auth_time"},
		"auth_time to come":  {func(_, id map[string]any) { id["auth_time"] = 4102444800 }, "auth_time"},
		"auth_time is text":  {func(_, id map[string]any) { id["auth_time"] = "now" }, "Microsoft did not finish"},
		"no id token":        {func(a, _ map[string]any) { delete(a, "id_token") }, "Microsoft did not finish"},
		"no access token":    {func(a, _ map[string]any) { delete(a, "access_token") }, "Microsoft did not finish"},
		"tokens in disorder": {func(a, _ map[string]any) { a["expires_in"] = []string{"soon"} }, "Microsoft did not finish"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.rewrite(c.change)
				w.shows(w.through(w.browser(), w.svc.Link(w.fresh()), w.requester), c.says)
			})
		})
	}
}
