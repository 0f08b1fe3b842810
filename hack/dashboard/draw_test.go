package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// TestDraw: every kind of panel is drawn with the answer to its query, and the file is XML that a browser takes.
func TestDraw(t *testing.T) {
	g := NewWithT(t)
	r := open(g, t.Context(), t.TempDir())
	t.Cleanup(func() { g.Expect(r.close()).To(Succeed()) })
	b := &board{Title: "Things & more"}
	for n, kind := range []string{"stat", "bargauge", "timeseries", "timeseries"} {
		p := panel{Type: kind, Title: "Panel " + kind, GridPos: gridPos{X: 6 * n, W: 6, H: 8}, Targets: []target{
			{Expr: `sum by (kind) (things)`, Legend: "<{{kind}}>", Instant: kind != "timeseries"},
		}}
		if n == 3 {
			p.FieldConfig.Defaults.Custom.Stacking.Mode = "normal"
		}
		b.Panels = append(b.Panels, p)
	}
	file := filepath.Join(t.TempDir(), "out.svg")
	g.Expect(r.draw(t.Context(), b, options{draw: file, rateInterval: time.Minute})).To(Succeed())
	svg, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	var texts []string
	for in := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		g.Expect(err).NotTo(HaveOccurred())
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
			texts = append(texts, string(text))
		}
	}
	g.Expect(texts).To(ContainElements("Things & more", "Panel stat", "Panel bargauge", "Panel timeseries", "<a>", "3"))
	g.Expect(strings.Count(string(svg), "<path")).To(BeNumerically(">=", 2+3), "a curve for each series, and an area")

	b.Panels[0].Type = "table"
	g.Expect(r.draw(t.Context(), b, options{draw: file})).To(MatchError(ContainSubstring("no way to draw a table")))
}

// TestStack: what is missing in a series adds nothing, and what is above it stays in place.
func TestStack(t *testing.T) {
	g := NewWithT(t)
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	v := view{from: at(0), to: at(2), step: time.Second}
	stacked := v.stack([]line{
		{"a", []point{{at(0), 1}, {at(2), 3}}},
		{"b", []point{{at(0), 10}, {at(1), 20}, {at(2), 30}}},
	})
	g.Expect(stacked).To(Equal([]line{
		{"a", []point{{at(0), 1}, {at(1), 0}, {at(2), 3}}},
		{"b", []point{{at(0), 11}, {at(1), 20}, {at(2), 33}}},
	}))
}

func TestTicks(t *testing.T) {
	g := NewWithT(t)
	g.Expect(ticks(0, 5)).To(HaveExactElements(0.0, BeNumerically("~", 0.2), BeNumerically("~", 0.4), BeNumerically("~", 0.6), BeNumerically("~", 0.8), BeNumerically("~", 1)))
	g.Expect(ticks(42, 5)).To(Equal([]float64{0, 10, 20, 30, 40, 50}))
	g.Expect(ticks(50, 5)).To(Equal([]float64{0, 10, 20, 30, 40, 50}))
	g.Expect(ticksIn("bytes", 60<<20)).To(Equal([]float64{0, 20 << 20, 40 << 20, 60 << 20}))
}

func TestSpell(t *testing.T) {
	none := 0
	cases := map[string]struct {
		value    float64
		unit     string
		decimals *int
		want     string
	}{
		"a share":      {0.5, "percentunit", &none, "50%"},
		"days":         {4.96, "d", &none, "5 d"},
		"milliseconds": {0.0234, "s", nil, "23.4 ms"},
		"seconds":      {90, "s", nil, "90 s"},
		"no time":      {0, "s", nil, "0 s"},
		"calls":        {1.234, "reqps", nil, "1.23/s"},
		"memory":       {57 << 20, "bytes", nil, "57 MiB"},
		"a number":     {12, "short", nil, "12"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(spell(tc.value, tc.unit, tc.decimals)).To(Equal(tc.want))
		})
	}
}

// TestLooks: overrides by name and by pattern come before the palette, and a threshold gives a number its colour.
func TestLooks(t *testing.T) {
	g := NewWithT(t)
	b := shipped(g)
	for _, p := range b.Panels {
		if p.Title == "Listing age over time" {
			g.Expect(p.looks([]line{{name: "a/b"}, {name: "limit of a/b"}})).To(Equal([]look{{color: palette[0]}, {color: named["red"], dash: "6 4"}}))
		}
		if p.Title == "Token days left" {
			for days, color := range map[float64]string{0: "red", 3: "orange", 8: "yellow", 31: "green"} {
				g.Expect(p.FieldConfig.Defaults.colorOf(days)).To(Equal(named[color]))
			}
		}
		for _, step := range p.FieldConfig.Defaults.Thresholds.Steps {
			g.Expect(named).To(HaveKey(step.Color), p.Title)
		}
	}
}
