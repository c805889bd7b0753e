package downstream_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/awsidc"
)

// awsAsks runs a test of one probe with a key, in virtual time.
func awsAsks(t *testing.T, f func(t *testing.T, w *awsidc.World, roll *probetest.Roll, ask func() (activation.Answer, error))) {
	synctest.Test(t, func(t *testing.T) {
		w, roll := awsWorld(t)
		p := awsProbe(t, downstream.AWSConfig{AccessKey: "AKIAMADEUP", SecretKey: secretKey, HTTP: &http.Client{Transport: &probetest.Front{Handler: w.Handler()}}})
		f(t, w, roll, func() (activation.Answer, error) {
			a, err := p.Check(t.Context(), []activation.Person{probetest.Requester})
			return a[0], err
		})
	})
}

// A group that somebody removed has no members; that says nothing of the person.
func TestAWSGroupIsGone(t *testing.T) {
	for _, isFalse := range []bool{false, true} {
		awsAsks(t, func(t *testing.T, w *awsidc.World, _ *probetest.Roll, ask func() (activation.Answer, error)) {
			w.Turn(func(d *awsidc.Dials) { d.GoneIsFalse = isFalse })
			if a, err := ask(); a.Says != activation.No || err != nil {
				t.Fatalf("%+v, %v", a, err)
			}
			w.Remove("db-admins")
			time.Sleep(6 * time.Minute)
			if a, err := ask(); a.Says != activation.CantTell || err == nil || !strings.Contains(a.Why, "group") {
				t.Errorf("answers false %v: %+v, %v", isFalse, a, err)
			}
		})
	}
}

func TestAWSThrottleIsHandedOn(t *testing.T) {
	awsAsks(t, func(t *testing.T, w *awsidc.World, _ *probetest.Roll, ask func() (activation.Answer, error)) {
		w.Turn(func(d *awsidc.Dials) { d.Budget, d.Window, d.RetryAfter = 1, time.Hour, "12" })
		_, _ = ask()
		a, err := ask()
		var f *downstream.Fault
		if a.Says != activation.CantTell || !errors.As(err, &f) || f.After != 12*time.Second {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// The name may be somebody else's by now: the external id tells, where it is an
// object id.
func TestAWSNamesAreHeldAgainstObjectIDs(t *testing.T) {
	for _, shown := range []bool{true, false} {
		awsAsks(t, func(t *testing.T, w *awsidc.World, roll *probetest.Roll, ask func() (activation.Answer, error)) {
			w.Turn(func(d *awsidc.Dials) { d.NoExternalID = !shown })
			roll.Set(probetest.Requester.Object, true)
			settle()
			if a, err := ask(); a.Says != activation.Yes || err != nil || !strings.Contains(a.Evidence, awsStore) {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

func TestAWSSaysWhatIsWrong(t *testing.T) {
	for _, x := range []struct {
		words string
		c     downstream.AWSConfig
	}{
		{"no group", downstream.AWSConfig{Group: "nowhere", Region: awsRegion, AccessKey: "AKIAMADEUP", SecretKey: secretKey}},
		{"credentials", downstream.AWSConfig{Group: "db-admins", Region: awsRegion, AccessKey: "AKIAMADEUP", SecretKey: "another"}},
		{"credentials", downstream.AWSConfig{Group: "db-admins", Region: awsRegion, AccessKey: "AKIAUNKNOWN", SecretKey: secretKey}},
		{"credentials", downstream.AWSConfig{Group: "db-admins", Region: "us-east-1", AccessKey: "AKIAMADEUP", SecretKey: secretKey}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, _ := awsWorld(t)
			x.c.HTTP = &http.Client{Transport: &probetest.Front{Handler: w.Handler()}}
			x.c.Store, x.c.API = awsStore, "https://identitystore.test"
			p, err := downstream.NewAWS(x.c)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Setup(t.Context()); err == nil || !strings.Contains(err.Error(), x.words) || strings.Contains(err.Error(), "\n") {
				t.Errorf("want %q: %v", x.words, err)
			}
		})
	}
}

func TestAWSConfigIsStrict(t *testing.T) {
	good := downstream.AWSConfig{Region: awsRegion, Store: awsStore, Group: "db-admins", AccessKey: "AKIA", SecretKey: "s"}
	if p, err := downstream.NewAWS(good); err != nil || p.Limits().Level != activation.L1 {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*downstream.AWSConfig){
		"region": func(c *downstream.AWSConfig) { c.Region = "Frankfurt" }, "store": func(c *downstream.AWSConfig) { c.Store = "123" }, "group": func(c *downstream.AWSConfig) { c.Group = "" },
		"no key": func(c *downstream.AWSConfig) { c.SecretKey = "" }, "two ways": func(c *downstream.AWSConfig) { c.Role, c.TokenFile = awsRole, "token" },
		"plain http": func(c *downstream.AWSConfig) { c.API = "http://identitystore.example" },
	} {
		c := good
		spoil(&c)
		if _, err := downstream.NewAWS(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
