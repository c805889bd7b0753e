package awsidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"pagbot/sim/target"
)

// signed checks a Signature Version 4, and says why not in AWS's words.
func (w *World) signed(c *target.Call) (code string, ok bool) {
	fields := map[string]string{}
	rest, v4 := strings.CutPrefix(c.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for _, f := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(f), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/") // key, date, region, service, aws4_request
	if !v4 || len(scope) != 5 {
		return "MissingAuthenticationTokenException", false
	}
	secret, known := w.keys[scope[0]]
	if !known || c.Header.Get("X-Amz-Security-Token") != w.tokens[scope[0]] {
		return "UnrecognizedClientException", false
	}
	if scope[2] != w.c.Region || scope[3] != "identitystore" {
		return "InvalidSignatureException", false
	}
	c.By = target.Caller{OID: scope[0], App: true}
	want := signature(c.Request, c.Bytes, secret, scope, strings.Split(fields["SignedHeaders"], ";"))
	if subtle.ConstantTimeCompare([]byte(want), []byte(fields["Signature"])) != 1 {
		return "InvalidSignatureException", false
	}
	return "", true
}

// signature is worked out as AWS documents it.
func signature(q *http.Request, body []byte, secret string, scope, names []string) string {
	hash := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	var headers strings.Builder
	for _, n := range names {
		value := q.Header.Get(n)
		switch n {
		case "host":
			value = q.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		headers.WriteString(n + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	path := q.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	canonical := strings.Join([]string{q.Method, path, q.URL.RawQuery, headers.String(), strings.Join(names, ";"), hash(body)}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", q.Header.Get("X-Amz-Date"), strings.Join(scope[1:], "/"), hash([]byte(canonical))}, "\n")
	mac := func(key []byte, s string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(s))
		return m.Sum(nil)
	}
	k := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		k = mac(k, part)
	}
	return hex.EncodeToString(mac(k, text))
}

// role opens a role for whoever has its token: AssumeRoleWithWebIdentity, which
// is not signed. It answers in XML, as the page of an answer.
func (w *World) role(form url.Values) target.Answer {
	token, known := w.c.Roles[form.Get("RoleArn")]
	if !known || token != form.Get("WebIdentityToken") {
		return target.Answer{Status: 400, Page: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>not accepted</Message></Error></ErrorResponse>`,
			Header: map[string]string{"Content-Type": "text/xml"}}
	}
	access, secret, session := "ASIA"+w.GUID()[:8], w.GUID(), w.GUID()
	w.keys[access], w.tokens[access] = secret, session
	until := w.Now().Add(3600e9).UTC().Format("2006-01-02T15:04:05Z")
	return target.Answer{Status: 200, Header: map[string]string{"Content-Type": "text/xml"},
		Page: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>` + access +
			`</AccessKeyId><SecretAccessKey>` + secret + `</SecretAccessKey><SessionToken>` + session + `</SessionToken><Expiration>` + until +
			`</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`}
}
