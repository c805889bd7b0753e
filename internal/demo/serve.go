package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"net"
	"net/http"
	"time"
)

// Certificate is a TLS certificate for the given hosts, signed by itself: the
// authority must be https. It returns the certificate as PEM, too, for those
// who are to trust it.
func Certificate(hosts ...string) (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	// Valid at the machine's time and in a bubble of virtual time, which begins
	// in the year 2000.
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pagbot demo"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Handlers are the company's services, by the field of Place that leads to
// them. The authority's listener must speak TLS.
func (w *Worlds) Handlers() map[string]http.Handler {
	all := map[string]http.Handler{w.Place.Slack: w.desk(), w.Place.Graph: w.graph(), w.Place.Authority: w.Entra.Authority(), w.Place.DevOps: w.devops()}
	maps.Copy(all, w.Also)
	return all
}

// Loopback listens on free ports of the loopback interface, one a service, and
// returns where they are, with the certificate of the authority as PEM.
func Loopback() (Place, map[string]net.Listener, []byte, error) {
	var p Place
	ls := map[string]net.Listener{}
	cert, ca, err := Certificate("127.0.0.1", "localhost")
	if err != nil {
		return p, nil, nil, err
	}
	for _, url := range []*string{&p.Slack, &p.Graph, &p.Authority, &p.DevOps, &p.Pages} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return p, nil, nil, err
		}
		*url = "http://" + l.Addr().String()
		if url == &p.Authority {
			*url = "https://" + l.Addr().String()
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		}
		ls[*url] = l
	}
	return p, ls, ca, nil
}
