// Package keyvault wraps keys with an RSA key in Azure Key Vault, which never
// leaves it. It is asked when the bot starts and when keys are rotated; what it
// unwrapped then lives in memory.
package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// Vault is one key of one vault. It implements signin.Root.
type Vault struct {
	client *azkeys.Client
	name   string
	at     string // the key's address without a version
}

var keyPath = regexp.MustCompile(`^/keys/([0-9A-Za-z-]{1,127})/?$`)

// Valid says what is wrong with the address of a key, if anything.
func Valid(key string) error {
	_, _, err := split(key)
	return err
}

// New makes a Vault of the address of a key, such as
// https://NAME.vault.azure.net/keys/pagbot.
func New(key string, cred azcore.TokenCredential, o azcore.ClientOptions) (*Vault, error) {
	vault, name, err := split(key)
	if err != nil {
		return nil, err
	}
	c, err := azkeys.NewClient(vault, cred, &azkeys.ClientOptions{ClientOptions: o})
	if err != nil {
		return nil, err
	}
	return &Vault{c, name, vault + "/keys/" + name}, nil
}

func split(key string) (vault, name string, err error) {
	u, err := url.Parse(key)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil || !keyPath.MatchString(u.Path) {
		return "", "", fmt.Errorf("%q is not the address of a key: write it like https://NAME.vault.azure.net/keys/KEY, without a version", key)
	}
	return "https://" + u.Host, keyPath.FindStringSubmatch(u.Path)[1], nil
}

// Wrap implements signin.Root with the key's newest version, and says which
// that was.
func (v *Vault) Wrap(ctx context.Context, plain []byte) (by string, wrapped []byte, err error) {
	res, err := v.client.WrapKey(ctx, v.name, "", v.with(plain), nil)
	switch {
	case err != nil:
		return "", nil, v.plain("wrapKey", err)
	case res.KID == nil || !strings.HasPrefix(string(*res.KID), v.at+"/") || len(res.Result) == 0:
		return "", nil, fmt.Errorf("%s: the vault answered something else", v.at)
	}
	return string(*res.KID), res.Result, nil
}

// Unwrap implements signin.Root.
func (v *Vault) Unwrap(ctx context.Context, by string, wrapped []byte) ([]byte, error) {
	version, ours := strings.CutPrefix(by, v.at+"/")
	if !ours || version == "" || strings.Contains(version, "/") {
		return nil, fmt.Errorf("it was wrapped by %s, and %s is configured: configure that key until everything is sealed anew with pagbot keys rotate", by, v.at)
	}
	res, err := v.client.UnwrapKey(ctx, v.name, version, v.with(wrapped), nil)
	if err != nil {
		return nil, v.plain("unwrapKey", err)
	}
	return res.Result, nil
}

func (v *Vault) with(value []byte) azkeys.KeyOperationParameters {
	algorithm := azkeys.EncryptionAlgorithmRSAOAEP256
	return azkeys.KeyOperationParameters{Algorithm: &algorithm, Value: value}
}

// plain is one sentence of the SDK's pages.
func (v *Vault) plain(operation string, err error) error {
	var res *azcore.ResponseError
	if !errors.As(err, &res) {
		return fmt.Errorf("%s can't be reached: open the way there (network rules of the vault, proxy, DNS): %w", v.at, err)
	}
	switch res.StatusCode {
	case 401, 403:
		return fmt.Errorf("%s refuses (%s): give the reader the role Key Vault Crypto Service Encryption User, or the key permissions wrapKey and unwrapKey; and let this machine through the vault's network rules", v.at, res.ErrorCode)
	case 404:
		return fmt.Errorf("%s is not there (%s): make an RSA key of that name, and keep its older versions enabled", v.at, res.ErrorCode)
	}
	return fmt.Errorf("%s answers HTTP %d (%s) to %s", v.at, res.StatusCode, res.ErrorCode, operation)
}
