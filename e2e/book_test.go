package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"pagbot/activation"
	"pagbot/store"
)

// livesIn loads every activation that a store holds.
func livesIn(ctx context.Context, db *store.Bolt) (map[string]activation.Activation, error) {
	docs, err := db.List(ctx, "activation", "", "", 10_000)
	lives := map[string]activation.Activation{}
	for _, d := range docs {
		var a activation.Activation
		if err := json.Unmarshal(d.Body, &a); err != nil {
			return nil, err
		}
		lives[d.Key] = a
	}
	return lives, err
}

// foldsTo checks that an activation's journal, folded, is what is stored.
func foldsTo(ctx context.Context, db *store.Bolt, want activation.Activation) error {
	var a activation.Activation
	for entry, err := range db.Read(ctx, "activation/"+want.ID, 1) {
		if err != nil {
			return err
		}
		e, err := activation.Decode(entry.Body)
		if err != nil {
			return err
		}
		a = activation.Apply(a, e)
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	var got activation.Activation
	if err := json.Unmarshal(body, &got); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("activation %s: the journal says\n%+v\nthe store says\n%+v", want.ID, got, want)
	}
	return nil
}

// jobsIn lists all jobs that can ever be claimed again. The store must have
// been opened with a clock that is late enough.
func jobsIn(ctx context.Context, db *store.Bolt) ([]string, error) {
	var left []string
	for _, lane := range []string{"inbox", "due", "deed", "say", "watch"} {
		jobs, _, err := db.Claim(ctx, lane, "", 1000)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			line := lane + " " + j.Key + " " + string(j.Body)
			if j.Wait != "" {
				line += " waits for " + j.Wait
			}
			left = append(left, line)
		}
	}
	return left, nil
}
