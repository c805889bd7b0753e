package app

import (
	"time"

	"pagbot/downstream"
)

// AWSTarget is an AWS IAM Identity Center that Entra provisions.
type AWSTarget struct {
	// Region is where the Identity Center is, such as eu-central-1.
	Region string `yaml:"region"`
	// Store is the id of its identity store: d- and ten digits.
	Store string `yaml:"store"`
	// Group is the displayName of the group there.
	Group string `yaml:"group"`
	// AccessKey is an access key's id; with secret_key one way to authenticate.
	AccessKey *Secret `yaml:"access_key"`
	// SecretKey belongs to the access key.
	SecretKey *Secret `yaml:"secret_key"`
	// Role is the ARN of a role that token_file opens: the other way.
	Role string `yaml:"role"`
	// TokenFile holds the web identity token of this workload, as Kubernetes
	// projects it ($AWS_WEB_IDENTITY_TOKEN_FILE).
	TokenFile string `yaml:"token_file"`
	// Issuer of the external ids there. With it people are found by their object
	// id, which must be their externalId; left out: by user principal name.
	Issuer string `yaml:"issuer"`
	// Endpoint is another address than AWS's own; for a simulator.
	Endpoint string `yaml:"endpoint"`
}

func (s *AWSTarget) config(access, secret, tokenFile string) downstream.AWSConfig {
	return downstream.AWSConfig{Region: s.Region, Store: s.Store, Group: s.Group, Issuer: s.Issuer, AccessKey: access, SecretKey: secret, Role: s.Role, TokenFile: tokenFile, API: s.Endpoint}
}

// awsKind says that the identity store has received a membership.
var awsKind = kind{
	within:  45 * time.Minute, // a removal waits for the next cycle of 40 minutes
	section: func(t *TargetConfig) bool { return t.AWS != nil },
	check: func(t *TargetConfig, p *problems) {
		given := func(s *Secret, field string) string {
			if s == nil {
				return ""
			}
			p.need(s.set(), "targets %s: %s: %s", t.ID, field, secretForm)
			return "to be read at the start"
		}
		_, err := downstream.NewAWS(t.AWS.config(given(t.AWS.AccessKey, "access_key"), given(t.AWS.SecretKey, "secret_key"), t.AWS.TokenFile))
		t.wrong(p, err)
		defaultTo(&t.Name, "AWS Identity Center")
	},
	open: func(a *App, t TargetConfig, _ scope) (downstream.Probe, error) {
		var keys [2]string
		for i, s := range []*Secret{t.AWS.AccessKey, t.AWS.SecretKey} {
			if s == nil {
				continue
			}
			v, err := s.read("targets "+t.ID+": aws."+[]string{"access_key", "secret_key"}[i], a.cfg.dir)
			if err != nil {
				return nil, err
			}
			keys[i] = v
		}
		c := t.AWS.config(keys[0], keys[1], a.cfg.in(t.AWS.TokenFile))
		c.HTTP, c.Now = a.http, a.clock.Now
		return downstream.NewAWS(c)
	},
}
