package signin_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
)

func sample() activation.Warrant {
	at := time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.FixedZone("", 3600))
	return activation.Warrant{Actor: activation.Person{Tenant: "t", Object: "o", Name: "requester", Human: "h", Slack: activation.SlackUser{Team: "T0", ID: "U0"}},
		Deed: activation.Submit, Digest: "d", Proof: activation.Fresh, Envelope: "e", Clicked: at, Expires: at.Add(15 * time.Minute)}
}

func sealer(t *testing.T, fill byte) *signin.Sealer {
	t.Helper()
	s, err := signin.NewSealer(bytes.Repeat([]byte{fill}, signin.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWarrantsSurviveTheStore(t *testing.T) {
	s := sealer(t, 1)
	w := s.Mint(sample())
	if again := s.Mint(sample()); again != w {
		t.Errorf("a replay minted another: %+v, %+v", again, w)
	}
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var back activation.Warrant
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(back); err != nil {
		t.Errorf("after the store: %v", err)
	}
	if code(sealer(t, 2).Check(w)) != activation.WarrantBad {
		t.Error("another key's seal passed")
	}
	if code(s.Check(sample())) != activation.WarrantBad || code(s.Check(activation.Warrant{})) != activation.WarrantBad {
		t.Error("an unsealed warrant passed")
	}
}

func TestIDsNameTheClick(t *testing.T) {
	s := sealer(t, 1)
	seen := map[string]string{}
	for name, change := range map[string]func(*activation.Warrant){
		"same": func(*activation.Warrant) {}, "envelope": func(w *activation.Warrant) { w.Envelope = "e2" }, "deed": func(w *activation.Warrant) { w.Deed = activation.End },
		"actor": func(w *activation.Warrant) { w.Actor.Object = "o2" }, "shifted": func(w *activation.Warrant) { w.Envelope, w.Deed = "eactivate", "" },
	} {
		w := sample()
		change(&w)
		id := s.Mint(w).ID
		if other := seen[id]; other != "" {
			t.Errorf("%s and %s have one id", name, other)
		}
		seen[id] = name
	}
	later := sample()
	later.Clicked, later.Digest = later.Clicked.Add(time.Second), "d2"
	if seen[s.Mint(later).ID] != "same" {
		t.Error("a replay that was read later has another id")
	}
}

// Every field, also one that is added later, is under the seal.
func TestEveryFieldIsSealed(t *testing.T) {
	s := sealer(t, 1)
	good := s.Mint(sample())
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Nanosecond)))
		case v.Kind() == reflect.String:
			v.SetString(v.String() + "x")
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
			return
		default:
			t.Fatalf("%s: a kind of field that this test doesn't know", path)
		}
		if code(s.Check(good)) != activation.WarrantBad {
			t.Errorf("%s changed, and the warrant still passes", path)
		}
		v.Set(was)
	}
	walk(reflect.ValueOf(&good).Elem(), "Warrant")
	if err := s.Check(good); err != nil {
		t.Error(err)
	}
}

func TestShortKeys(t *testing.T) {
	if _, err := signin.NewSealer(make([]byte, 31)); err == nil {
		t.Error("a short key passed")
	}
}
