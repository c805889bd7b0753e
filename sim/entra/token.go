package entra

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// Audiences of the tokens that the authority issues.
const (
	GraphAudience  = "https://graph.microsoft.com"
	GraphApp       = "00000003-0000-0000-c000-000000000000"
	DevOpsAudience = "499b84ac-1321-427f-aa17-267ca6975798"
)

// signingKey is one for all worlds of a process, because making it takes a
// while; tokens of another world fail on their tenant.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

const keyID = "simulated-1"

var b64 = base64.RawURLEncoding

func sign(claims obj) string {
	h, _ := json.Marshal(obj{"typ": "JWT", "alg": "RS256", "kid": keyID})
	p, _ := json.Marshal(claims)
	text := b64.EncodeToString(h) + "." + b64.EncodeToString(p)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, signingKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + b64.EncodeToString(sig)
}

// verify checks a JWT's signature (RS256, or PS256 as msal signs assertions)
// and returns its claims.
func verify(token string, key *rsa.PublicKey) (obj, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a JWT")
	}
	var head struct{ Alg string }
	h, _ := b64.DecodeString(parts[0])
	p, _ := b64.DecodeString(parts[1])
	sig, err := b64.DecodeString(parts[2])
	claims := obj{}
	if errors.Join(err, json.Unmarshal(h, &head), json.Unmarshal(p, &claims)) != nil {
		return nil, errors.New("malformed JWT")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch head.Alg {
	case "RS256":
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig)
	case "PS256":
		err = rsa.VerifyPSS(key, crypto.SHA256, sum[:], sig, nil)
	default:
		err = errors.New("unknown algorithm " + head.Alg)
	}
	return claims, err
}

func jwks() obj {
	k := signingKey().PublicKey
	return obj{"keys": []obj{{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": b64.EncodeToString(k.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(k.E)).Bytes())}}}
}

// Verify checks an access token as a resource would: signature, audience,
// tenant and time. It returns the claims.
func (w *World) Verify(token, audience string) (map[string]any, error) {
	w.enter()
	defer w.mu.Unlock()
	claims, err := w.verify(token, audience)
	return maps.Clone(claims), err
}

func (w *World) verify(token, audience string) (obj, error) {
	claims := w.verified[token]
	if claims == nil {
		var err error
		if claims, err = verify(token, &signingKey().PublicKey); err != nil {
			return nil, err
		}
		if len(w.verified) > 20_000 {
			clear(w.verified)
		}
		w.verified[token] = claims
	}
	now := float64(w.wire().Unix())
	exp, _ := claims["exp"].(float64)
	nbf, _ := claims["nbf"].(float64)
	switch {
	case claims["tid"] != w.tenant:
		return nil, errors.New("invalid tenant")
	case claims["aud"] != audience:
		return nil, errors.New("invalid audience")
	case now >= exp:
		return nil, errors.New("lifetime validation failed, the token is expired")
	case now < nbf:
		return nil, errors.New("the token is not valid yet")
	}
	return claims, nil
}

// authenticate reads who calls Graph.
func (w *World) authenticate(c *call) (caller, *refusal) {
	token, ok := strings.CutPrefix(c.header.Get("Authorization"), "Bearer ")
	if !ok {
		return caller{}, refuse(401, "InvalidAuthenticationToken", "Access token is empty.")
	}
	claims, err := w.verify(token, GraphAudience)
	if err != nil {
		return caller{}, refuse(401, "InvalidAuthenticationToken", err.Error())
	}
	by := caller{app: claims["appid"].(string), claims: claims}
	by.cp1 = slices.ContainsFunc(strs(claims["xms_cc"]), func(s string) bool { return strings.EqualFold(s, "cp1") })
	if claims["idtyp"] == "app" {
		by.scopes = strs(claims["roles"])
		return by, nil
	}
	by.oid, _ = claims["oid"].(string)
	scp, _ := claims["scp"].(string)
	by.scopes = strings.Fields(scp)
	by.admin = w.admin(by.oid)
	by.mfa = slices.Contains(strs(claims["amr"]), "mfa")
	by.acrs = strs(claims["acrs"])
	u := w.user(by.oid)
	if u == nil {
		return caller{}, refuse(401, "InvalidAuthenticationToken", "The user identity in the token does not exist.")
	}
	return by, w.challenged(u, by)
}

func strs(v any) (all []string) {
	list, _ := v.([]any)
	for _, x := range list {
		if s, ok := x.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// accessToken makes a token for one resource.
func (w *World) accessToken(g grant, audience string, scopes []string, now time.Time, life time.Duration) string {
	c := obj{"aud": audience, "iss": "https://sts.windows.net/" + w.tenant + "/", "iat": now.Unix(), "nbf": now.Unix(),
		"exp": now.Add(life).Unix(), "tid": w.tenant, "appid": g.app.ID, "ver": "1.0", "uti": w.guid()}
	if g.user == nil {
		c["idtyp"], c["oid"], c["sub"], c["roles"] = "app", g.app.Principal, g.app.Principal, g.app.Roles
		return sign(c)
	}
	c["idtyp"], c["oid"], c["sub"], c["upn"], c["name"] = "user", g.user.ID, g.user.ID, g.user.UPN, g.user.Name
	c["scp"], c["amr"], c["auth_time"] = strings.Join(scopes, " "), g.amr(), g.in.at.Unix()
	if len(g.acrs) > 0 {
		c["acrs"] = g.acrs
	}
	if g.cp1 {
		c["xms_cc"] = []string{"cp1"}
	}
	return sign(c)
}

// carry puts an access token and its life into an answer.
func (w *World) carry(body obj, g grant, audience string, scopes []string, now time.Time) {
	life := w.life(g)
	body["access_token"], body["expires_in"], body["ext_expires_in"] = w.accessToken(g, audience, scopes, now, life), int(life.Seconds()), int(life.Seconds())
}

// life is how long an access token is good. The service draws 60 to 90
// minutes, and a day or so for clients that can be challenged in between.
func (w *World) life(g grant) time.Duration {
	switch {
	case w.dials.TokenLife > 0:
		return w.dials.TokenLife
	case g.cp1:
		return 20*time.Hour + time.Duration(w.rand.IntN(8*3600))*time.Second
	}
	return time.Hour + time.Duration(w.rand.IntN(1800))*time.Second
}

const tokenLife = 3599 * time.Second

func (w *World) idToken(g grant, issuer string, now time.Time) string {
	c := obj{"aud": g.app.ID, "iss": issuer, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenLife).Unix(), "oid": g.user.ID,
		"tid": w.tenant, "sub": g.user.ID + "-" + g.app.ID, "name": g.user.Name, "preferred_username": g.user.UPN,
		"auth_time": g.in.at.Unix(), "amr": g.amr(), "ver": "2.0"}
	if g.nonce != "" {
		c["nonce"] = g.nonce
	}
	if len(g.acrs) > 0 {
		c["acrs"] = g.acrs
	}
	return sign(c)
}
