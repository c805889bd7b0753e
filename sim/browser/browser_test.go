package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// hosts answers for several names at once, without a network.
type hosts map[string]http.HandlerFunc

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	f := h[r.URL.Host]
	if f == nil {
		return nil, fmt.Errorf("no host %s", r.URL.Host)
	}
	rec := httptest.NewRecorder()
	r.RequestURI = r.URL.RequestURI()
	f(rec, r)
	res := rec.Result()
	res.Request = r
	return res, nil
}

func on(h hosts) *Browser { return New(&http.Client{Transport: h}) }

func shows(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, body)
	}
}

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestReadsAndFillsForms(t *testing.T) {
	var got string
	b := on(hosts{"a.example": func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			_ = r.ParseForm()
			got = r.PostForm.Encode()
			http.Redirect(w, r, "/done", http.StatusSeeOther)
			return
		}
		if r.URL.Path == "/done" {
			shows("<title>Done</title><p>Thank   you</p>")(w, r)
			return
		}
		shows(`<title>Ask</title><script>no</script><a href="/done">Skip</a><form method="post" action="/x?q=1"><input type=hidden name=h value=1>
<input name=who><textarea name=why>old</textarea><input type=checkbox name=mfa value=yes><input type=checkbox name=off value=yes checked>
<input type=radio name=r value=1 checked><input type=radio name=r value=2><select name=s><option>x<option value=y selected>z</select>
<input name=dead disabled value=1><button name=do value=go>Go on</button><button type=button>Nothing</button></form>`)(w, r)
	}})
	p, err := b.Open("https://a.example/")
	if err != nil || p.Title != "Ask" || strings.Contains(p.Text, "no") {
		t.Fatalf("%v %+v", err, p)
	}
	for _, f := range [][2]string{{"who", "me & you"}, {"why", "new"}, {"mfa", "1"}, {"off", ""}, {"r", "2"}} {
		if err := b.Fill(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if b.Fill("h", "2") == nil || b.Fill("dead", "2") == nil || b.Fill("none", "") == nil {
		t.Error("filled what a person can't")
	}
	if _, err := b.Click("Nothing"); err == nil {
		t.Error("pressed a button that does nothing")
	}
	p, err = b.Submit("go on")
	if err != nil || p.Title != "Done" || p.Text != "Thank you" {
		t.Fatalf("%v %+v", err, p)
	}
	if want := "do=go&h=1&mfa=yes&r=2&s=y&who=me+%26+you&why=new"; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	v := b.Visits()
	if len(v) != 3 || v[1] != (Visit{"POST", "https://a.example/x?q=1", 303}) || v[2].Method != "GET" {
		t.Errorf("visits: %v", v)
	}
}

func TestCookiesThatBrowsersRefuse(t *testing.T) {
	for _, c := range []struct {
		at, set string
		kept    bool
	}{
		{"https://a.example/", "__Host-s=1; Path=/; Secure", true},
		{"https://a.example/", "__Host-s=1; Secure", false},
		{"https://a.example/", "__Host-s=1; Path=/", false},
		{"https://a.example/", "__Host-s=1; Path=/; Secure; Domain=a.example", false},
		{"http://a.example/", "__Host-s=1; Path=/; Secure", false},
		{"http://127.0.0.1/", "__Host-s=1; Path=/; Secure", true},
		{"http://a.example/", "s=1; Secure", false},
		{"https://a.example/", "s=1; SameSite=None", false},
		{"https://a.example/", "s=1; Domain=example", false},
		{"https://a.example/", "s=1; Domain=b.example", false},
		{"https://x.a.example/", "s=1; Domain=a.example", true},
		{"https://a.example/", "s=1; Max-Age=-1", false},
	} {
		var j jar
		parsed, err := http.ParseSetCookie(c.set)
		if err != nil {
			t.Fatal(err)
		}
		j.take(address(t, c.at), []*http.Cookie{parsed}, time.Now())
		if got := len(j.cookies) == 1; got != c.kept {
			t.Errorf("%s at %s: kept %v", c.set, c.at, got)
		}
	}
}

func TestCookiesEndAndStayInTheirPath(t *testing.T) {
	var j jar
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	at := address(t, "https://a.example/app/in")
	for _, s := range []string{"minute=1; Max-Age=60", "forever=1; Path=/", "deep=1; Path=/app/in", "here=1"} {
		c, err := http.ParseSetCookie(s)
		if err != nil {
			t.Fatal(err)
		}
		j.take(at, []*http.Cookie{c}, now)
	}
	sent := func(u string, after time.Duration) (names []string) {
		for _, c := range j.carried(request{method: "GET", url: address(t, u)}, now.Add(after)) {
			names = append(names, c.Name)
		}
		return names
	}
	for _, c := range []struct {
		url   string
		after time.Duration
		want  []string
	}{
		{"https://a.example/app/in", 0, []string{"deep", "minute", "here", "forever"}}, {"https://a.example/app/", time.Minute, []string{"here", "forever"}},
		{"https://a.example/apple", 0, []string{"forever"}}, {"https://a.example", 0, []string{"forever"}}, {"https://b.a.example/app/in", 0, nil},
	} {
		if got := sent(c.url, c.after); !slices.Equal(got, c.want) {
			t.Errorf("%s after %s: %v, want %v", c.url, c.after, got, c.want)
		}
	}
	gone, _ := http.ParseSetCookie("forever=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
	if j.take(at, []*http.Cookie{gone}, now); slices.Contains(sent("https://a.example/", 0), "forever") {
		t.Error("not deleted")
	}
}

func TestSameSite(t *testing.T) {
	var seen []string
	app := func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.Header.Get("Sec-Fetch-Site")+" "+r.Header.Get("Cookie")+" "+r.Header.Get("Origin"))
		w.Header().Add("Set-Cookie", "strict=1; SameSite=Strict")
		w.Header().Add("Set-Cookie", "lax=1")
		w.Header().Add("Set-Cookie", "none=1; SameSite=None; Secure")
		shows(`<a href="https://evil.example/">out</a>`)(w, r)
	}
	b := on(hosts{"app.example": app, "evil.example": shows(`<a href="https://app.example/">in</a><form method=post action="https://app.example/"><button>post</button></form>`)})
	for _, step := range []func() (*Page, error){
		func() (*Page, error) { return b.Open("https://app.example/") },
		func() (*Page, error) { return b.Open("https://app.example/") },
		func() (*Page, error) { return b.Click("out") },
		func() (*Page, error) { return b.Click("in") },
		func() (*Page, error) { return b.Click("out") },
		func() (*Page, error) { return b.Click("post") },
	} {
		if _, err := step(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"GET none  ", "GET none strict=1; lax=1; none=1 ", "GET cross-site lax=1; none=1 ", "POST cross-site none=1 https://evil.example"}
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q\nwant %q", seen, want)
	}
}

func TestFormActionHoldsForRedirects(t *testing.T) {
	for policy, ok := range map[string]bool{"form-action 'self'": false, "form-action 'none'": false, "form-action 'self' https://login.example": true,
		"form-action 'self' https://login": false, "": true} {
		b := on(hosts{"login.example": shows("in"), "app.example": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				http.Redirect(w, r, "https://login.example/", http.StatusSeeOther)
				return
			}
			w.Header().Set("Content-Security-Policy", "default-src 'none'; "+policy)
			shows(`<form method=post><button>Go</button></form>`)(w, r)
		}})
		if err := press(b); (err == nil) != ok {
			t.Errorf("%q: %v", policy, err)
		}
	}
}

func press(b *Browser) error {
	if _, err := b.Open("https://app.example/"); err != nil {
		return err
	}
	_, err := b.Submit("Go")
	return err
}

func TestNoReferrerNullsTheOrigin(t *testing.T) {
	var origin string
	b := on(hosts{"app.example": func(w http.ResponseWriter, r *http.Request) {
		origin = r.Header.Get("Origin")
		w.Header().Set("Referrer-Policy", "no-referrer")
		shows(`<form method=post><button>Go</button></form>`)(w, r)
	}})
	if err := press(b); err != nil || origin != "null" {
		t.Errorf("%v, Origin %q", err, origin)
	}
}

func TestRedirectLoopsEnd(t *testing.T) {
	b := on(hosts{"a.example": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }})
	if _, err := b.Open("https://a.example/"); err == nil || len(b.Visits()) != maxRedirects {
		t.Errorf("%v after %d", err, len(b.Visits()))
	}
	if _, err := b.Open("javascript:alert(1)"); err == nil {
		t.Error("opened a script")
	}
}
