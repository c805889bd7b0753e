package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"pagbot/graph/signin"
	"pagbot/internal/keyvault"
)

// openRing opens the keys that seal kept tokens; none if none are kept.
func (a *App) openRing(ctx context.Context) (*signin.Ring, error) {
	c := a.cfg.SignIn
	if signin.Custody(c.Custody) == signin.KeepNone {
		return nil, nil
	}
	var root signin.Root
	if c.KeyVault != "" {
		cred, err := a.cfg.credential(a.http, a.secrets.reader)
		if err != nil {
			return nil, err
		}
		o := azcore.ClientOptions{Transport: a.http, Retry: policy.RetryOptions{MaxRetries: 2}}
		vault, err := keyvault.New(c.KeyVault, cred, o)
		if err != nil {
			return nil, fmt.Errorf("signin.key_vault: %w", err)
		}
		root = vault
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ring, err := signin.OpenRing(ctx, box{a.db}, root, a.log, a.secrets.key, a.secrets.oldKeys...)
	if err != nil && root != nil {
		return nil, fmt.Errorf("signin.key_vault: %w", err)
	}
	return ring, err
}

// floorFile keeps what was signed out in a file beside the database, so that a
// database put back as it was opens none of it.
type floorFile string

// Load implements signin.Floors.
func (f floorFile) Load() (map[string]int64, error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var m map[string]int64
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: if it is beyond repair, remove it, and sign everybody out with pagbot people signout --all", f, err)
	}
	return m, nil
}

// Save implements signin.Floors: whole or not at all, also when the power fails.
func (f floorFile) Save(m map[string]int64) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(string(f)), ".signed-out-*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // gone after the rename
	_, err = t.Write(b)
	if err := errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	if err := os.Rename(t.Name(), string(f)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(string(f)))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
