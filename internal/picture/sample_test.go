package picture

import (
	"bytes"
	"flag"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/internal/history"
)

// pictures is where TestPictures leaves what it drew, to be looked at.
var pictures = flag.String("pictures", "", "directory to write the sample pictures to")

var now = time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)

// sample is a target whose changes take around a length; a few in a hundred are
// never seen, or teach nothing.
func sample(r *rand.Rand, name string, toward activation.Direction, level activation.Level, n int, around time.Duration, spread float64, within time.Duration) history.Row {
	row := history.Row{Target: name, Name: name, Toward: toward, Level: level}
	for i := range n {
		took := time.Duration(float64(around) * math.Exp(r.NormFloat64()*spread))
		l := downstream.Latency{Activation: fmt.Sprint(i), Toward: toward, Level: level, At: now.Add(-time.Duration(float64(30*24*time.Hour) * float64(n-i) / float64(n+1)))}
		for at := 5 * time.Second; ; at += max(5*time.Second, at/8) {
			if at >= took {
				l.By = at
				break
			}
			l.After = at
		}
		switch x := r.Float64(); {
		case x < 0.03:
			l.By = 0
		case x < 0.05:
			l.After, l.By = 0, 0
			row.Blind = append(row.Blind, l)
			continue
		}
		row.All = append(row.All, l)
	}
	row.Judgement = history.Judge(append(row.All[:len(row.All):len(row.All)], row.Blind...), within)
	return row
}

func samples() map[string]history.Report {
	r := rand.New(rand.NewPCG(7, 7))
	report := func(rows ...history.Row) history.Report {
		return history.Report{From: now.Add(-30 * 24 * time.Hour), To: now, Days: 30, Rows: rows}
	}
	pair := func(name string, level activation.Level, n int, grant, removal time.Duration, spread float64, in, gone time.Duration) []history.Row {
		return []history.Row{sample(r, name, activation.Grant, level, n, grant, spread, in), sample(r, name, activation.Removal, level, n, removal, spread, gone)}
	}
	devops := pair("Azure DevOps contoso", activation.L2, 43, 9*time.Minute, 35*time.Minute, 0.4, 15*time.Minute, time.Hour)
	intune := pair("Intune SAW administrators", activation.L3, 17, 4*time.Minute, 50*time.Minute, 0.7, 0, 0)
	aws := pair("AWS Identity Center", activation.L1, 6, 30*time.Minute, 40*time.Minute, 0.2, time.Hour, 2*time.Hour)
	entra := pair("Entra ID", activation.L0, 66, 3*time.Second, 20*time.Second, 0.5, 5*time.Minute, 5*time.Minute)
	one := report(devops...)
	one.Group = "devops-admins"
	all := report(append(append(append(append([]history.Row{}, entra...), devops...), intune...), aws...)...)
	return map[string]history.Report{"one": one, "all": all, "few": report(pair("Microsoft Defender", activation.L2, 3, 9*time.Minute, 9*time.Minute, 0.4, 15*time.Minute, time.Hour)...),
		"none":  report(pair("Azure DevOps contoso", activation.L2, 0, time.Minute, time.Minute, 0, 15*time.Minute, 0)...),
		"crowd": report(pair("Azure DevOps contoso", activation.L2, 900, 9*time.Minute, 35*time.Minute, 0.4, 15*time.Minute, time.Hour)...)}
}

// TestPictures draws all samples: each is a PNG of the expected width, opaque to
// its corners, with ink of each kind that its data has.
func TestPictures(t *testing.T) {
	for name, r := range samples() {
		b, err := PNG(r)
		if err != nil {
			t.Fatal(err)
		}
		if *pictures != "" {
			if err := os.WriteFile(filepath.Join(*pictures, name+".png"), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if m.Bounds().Dx() != width || m.Bounds().Dy() > 2*width {
			t.Errorf("%s is %v", name, m.Bounds())
		}
		count := map[color.RGBA]int{}
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
				if count[c]++; c.A != 0xff {
					t.Fatalf("%s: a hole at %d, %d", name, x, y)
				}
			}
		}
		if count[ink] < 1000 || count[paper] < 1000 {
			t.Errorf("%s is blank: %d of ink, %d of paper", name, count[ink], count[paper])
		}
		if name == "crowd" && (count[good] < 10_000 || count[bad] < 3_000) {
			t.Errorf("%s shows too little: %d, %d", name, count[good], count[bad])
		}
	}
}

// TestHostileNames: a name of any kind neither breaks the picture nor leaves it.
func TestHostileNames(t *testing.T) {
	r := samples()["few"]
	for _, name := range []string{"", strings.Repeat("Wide", 500), "\x00\n\u202e", "日本語"} {
		r.Group, r.Rows[0].Name = name, name
		if b, err := PNG(r); err != nil || len(b) == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}
