package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var promql = parser.NewParser(parser.Options{})

// labelValues is the only kind of query that the dashboard's variables use.
var labelValues = regexp.MustCompile(`^label_values\((.*), *([a-z_]+)\)$`)

// fill puts the values of variables and Grafana's own in the place of their names, as Grafana does before it asks.
func fill(expr string, values map[string]string) string {
	for name, value := range values {
		expr = strings.ReplaceAll(expr, "$"+name, value)
	}
	return expr
}

// everything are the values that Grafana fills in with "All" chosen everywhere.
func (b *board) everything(rateInterval string) map[string]string {
	values := map[string]string{"__rate_interval": rateInterval}
	for _, v := range b.Templating.List {
		if v.Type == "query" {
			values[v.Name] = v.AllValue
			if v.AllValue == "" {
				values[v.Name] = ".+"
			}
		}
	}
	return values
}

// need is what an expression takes for granted: that a metric exists and has a label, and, when one is named, a value.
type need struct{ metric, label, value string }

func (n need) String() string {
	switch {
	case n.label == "":
		return n.metric
	case n.value == "":
		return fmt.Sprintf("%s{%s}", n.metric, n.label)
	}
	return fmt.Sprintf("%s{%s=%q}", n.metric, n.label, n.value)
}

// needs are those of an expression. Which labels an aggregation keeps counts for all the metrics in it.
func needs(expr string) ([]need, error) {
	parsed, err := promql.ParseExpr(expr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	var all []need
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			all = append(all, ofSelector(n)...)
		case *parser.AggregateExpr:
			for _, metric := range metricsIn(n.Expr) {
				for _, label := range n.Grouping {
					all = append(all, need{metric: metric, label: label})
				}
			}
		}
		return nil
	})
	return all, nil
}

func ofSelector(selector *parser.VectorSelector) []need {
	var name string
	for _, m := range selector.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			name = m.Value
		}
	}
	all := []need{{metric: name}}
	for _, m := range selector.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			continue
		}
		all = append(all, need{metric: name, label: m.Name})
		for _, value := range namedValues(m) {
			all = append(all, need{metric: name, label: m.Name, value: value})
		}
	}
	return all
}

// namedValues are those that a matcher spells out: label="a", label!="a" or label=~"a|b".
func namedValues(m *labels.Matcher) []string {
	if m.Type == labels.MatchEqual || m.Type == labels.MatchNotEqual {
		return []string{m.Value}
	}
	return slices.Clone(m.SetMatches())
}

func metricsIn(node parser.Node) (metrics []string) {
	parser.Inspect(node, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			metrics = append(metrics, ofSelector(selector)[0].metric)
		}
		return nil
	})
	return metrics
}
