package signin

import (
	"errors"
	"time"
)

// Token is an access token of a person for Microsoft Graph, with whose it is.
type Token struct {
	Value   string
	Expires time.Time
	Tenant  string
	Object  string
}

// ErrSignIn says that there is no token for this deed until the person has
// been to the browser.
var ErrSignIn = errors.New("the person must sign in")
