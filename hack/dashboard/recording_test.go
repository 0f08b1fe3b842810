package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// film is a recording of one gauge and one counter, whose series for b ends.
const film = `# SCRAPE 1000000 one
things{kind="a"} 1
things{kind="b"} 5
made_total 0
# SCRAPE 1010000 one
things{kind="a"} 2
made_total 10
# SCRAPE 1020000 one
things{kind="a"} 3
made_total 20
`

func open(g *WithT, ctx context.Context, dir string) *recording {
	path := filepath.Join(dir, "film.txt")
	g.Expect(os.WriteFile(path, []byte(film), 0o600)).To(Succeed())
	r, err := readRecording(ctx, path)
	g.Expect(err).NotTo(HaveOccurred())
	return r
}

func TestAsk(t *testing.T) {
	g := NewWithT(t)
	r := open(g, t.Context(), t.TempDir())
	t.Cleanup(func() { g.Expect(r.close()).To(Succeed()) })
	ask := func(expr, legend string, instant bool) map[string][]float64 {
		lines, err := r.ask(t.Context(), target{Expr: expr, Legend: legend, Instant: instant}, nil, r.first, r.last, 10*time.Second)
		g.Expect(err).NotTo(HaveOccurred())
		out := map[string][]float64{}
		for _, l := range lines {
			for _, p := range l.points {
				out[l.name] = append(out[l.name], p.v)
			}
		}
		return out
	}
	g.Expect(ask(`things`, "{{kind}} of {{pod}}", false)).To(Equal(map[string][]float64{"a of one": {1, 2, 3}, "b of one": {5}}), "b has ended")
	g.Expect(ask(`sum(things)`, "all", true)).To(Equal(map[string][]float64{"all": {3}}))
	g.Expect(ask(`rate(made_total[20s])`, "rate", true)).To(Equal(map[string][]float64{"rate": {1}}))
	g.Expect(ask(`nothing`, "none", false)).To(BeEmpty())
	g.Expect(ask(`things / 0 * 0`, "no number", false)).To(BeEmpty())
}

// TestCheck finds each way to name what is not there.
func TestCheck(t *testing.T) {
	g := NewWithT(t)
	r := open(g, t.Context(), t.TempDir())
	t.Cleanup(func() { g.Expect(r.close()).To(Succeed()) })
	cases := map[string]struct{ expr, want string }{
		"all there":             {`sum by (kind, pod) (things{kind=~"a|b"})`, ""},
		"no such metric":        {`thing`, `the alert X names thing, which`},
		"no such label":         {`sum by (sort) (things)`, `things{sort}, which`},
		"no such value":         {`things{kind!="c"}`, `things{kind="c"}, which`},
		"no query":              {`sum(`, `parse error`},
		"one of several values": {`things{kind=~"a|c"}`, `things{kind="c"}, which`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := r.check(t.Context(), &board{}, map[string]string{"X": tc.expr}, time.Minute)
			if tc.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
		})
	}
	empty := &board{Panels: []panel{{Title: "P", Targets: []target{{RefID: "A", Expr: `things > 100`}}}}}
	g.Expect(r.check(t.Context(), empty, nil, time.Minute)).To(MatchError(ContainSubstring(`the panel "P", query A: no data`)))
	wrong := &board{}
	wrong.Templating.List = []variable{{Type: "query", Name: "v", Definition: "label_values(things, sort)"}}
	g.Expect(r.check(t.Context(), wrong, nil, time.Minute)).To(MatchError(ContainSubstring(`the variable v names things{sort}`)))
}
