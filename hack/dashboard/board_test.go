package main

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
)

const (
	boardFile = "../../config/grafana/dashboard.json"
	rulesFile = "../../config/prometheus/rules.yaml"
	columns   = 24 // of Grafana's grid
)

func shipped(g *WithT) *board {
	b, err := readBoard(boardFile)
	g.Expect(err).NotTo(HaveOccurred())
	return b
}

// TestDashboard: what Grafana needs to import it anywhere, any number of times.
func TestDashboard(t *testing.T) {
	g := NewWithT(t)
	b := shipped(g)
	g.Expect(b.UID).To(Equal("trustbuilder-mfa-operator"))
	g.Expect(b.ID).To(BeNil(), "an id is that of one Grafana")
	g.Expect(b.Title).NotTo(BeEmpty())
	g.Expect(b.SchemaVersion).To(Equal(42))
	var names []string
	for _, v := range b.Templating.List {
		names = append(names, v.Name)
		if v.Type == "query" {
			g.Expect(v.Datasource).To(Equal(datasource{"prometheus", "${datasource}"}), v.Name)
			g.Expect(v.IncludeAll).To(BeTrue(), v.Name)
			var asked struct{ Query string }
			g.Expect(json.Unmarshal(v.Query, &asked)).To(Succeed(), v.Name)
			g.Expect(asked.Query).To(Equal(v.Definition), v.Name)
		}
	}
	g.Expect(names).To(Equal([]string{"datasource", "namespace", "connection", "job"}))
}

// TestPanels: each says what it shows, in which unit, from the chosen data source.
func TestPanels(t *testing.T) {
	titles := map[string]bool{}
	for _, p := range shipped(NewWithT(t)).Panels {
		t.Run(p.Title, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(p.ID).To(BeNil(), "Grafana numbers them itself")
			g.Expect(p.Title).NotTo(BeEmpty())
			g.Expect(titles).NotTo(HaveKey(p.Title))
			titles[p.Title] = true
			g.Expect(p.Description).To(HaveSuffix("."))
			g.Expect(p.FieldConfig.Defaults.Unit).NotTo(BeEmpty())
			g.Expect(p.Datasource).To(Equal(datasource{"prometheus", "${datasource}"}))
			g.Expect(p.Type).To(BeElementOf("stat", "bargauge", "timeseries"))
			g.Expect(p.Targets).NotTo(BeEmpty())
			refs := map[string]bool{}
			for _, target := range p.Targets {
				g.Expect(refs).NotTo(HaveKey(target.RefID))
				refs[target.RefID] = true
				g.Expect(target.Datasource).To(Equal(p.Datasource))
				g.Expect(target.Legend).NotTo(BeEmpty())
				g.Expect(target.Instant).To(Equal(p.Type != "timeseries"), "one value, or many over time")
				g.Expect(target.Range).To(Equal(p.Type == "timeseries"))
			}
		})
	}
}

// TestGrid: the panels fill the grid, none over another and none in mid-air.
func TestGrid(t *testing.T) {
	g := NewWithT(t)
	taken := map[[2]int]string{}
	bottom := 0
	for _, p := range shipped(g).Panels {
		pos := p.GridPos
		g.Expect(pos.X+pos.W).To(BeNumerically("<=", columns), p.Title)
		bottom = max(bottom, pos.Y+pos.H)
		for x := pos.X; x < pos.X+pos.W; x++ {
			for y := pos.Y; y < pos.Y+pos.H; y++ {
				g.Expect(taken).NotTo(HaveKey([2]int{x, y}), p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	g.Expect(taken).To(HaveLen(columns * bottom))
}

// TestExpressionsParse: those of every panel, variable and alert. That they have an answer is shown by test/footage.
func TestExpressionsParse(t *testing.T) {
	g := NewWithT(t)
	b := shipped(g)
	values := b.everything("1m")
	for _, p := range b.Panels {
		for _, target := range p.Targets {
			filled := fill(target.Expr, values)
			g.Expect(filled).NotTo(ContainSubstring("$"), "%s names a variable that is not there", p.Title)
			g.Expect(needs(filled)).NotTo(BeEmpty(), p.Title)
		}
	}
	rules, err := readRules(rulesFile)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rules).NotTo(BeEmpty())
	for alert, expr := range rules {
		g.Expect(needs(expr)).NotTo(BeEmpty(), alert)
	}
}

// TestEveryConnectionCanBeChosen: a panel about connections follows the variables, one about the operator the job.
func TestEveryConnectionCanBeChosen(t *testing.T) {
	g := NewWithT(t)
	for _, p := range shipped(g).Panels {
		for _, target := range p.Targets {
			g.Expect(target.Expr).To(Or(
				And(ContainSubstring(`connection_namespace=~"$namespace", connection=~"$connection"`), Not(ContainSubstring("$job"))),
				And(ContainSubstring(`job=~"$job"`), Not(ContainSubstring("$connection"))),
			), p.Title)
		}
	}
}
