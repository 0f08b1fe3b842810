package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sigs.k8s.io/yaml"
)

// readRules returns the expressions of a PrometheusRule by the alert's name.
func readRules(path string) (map[string]string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a flag names it
	if err != nil {
		return nil, err
	}
	var object struct {
		Spec struct {
			Groups []struct {
				Rules []struct{ Alert, Expr string }
			}
		}
	}
	if err := yaml.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	rules := map[string]string{}
	for _, group := range object.Spec.Groups {
		for _, rule := range group.Rules {
			rules[rule.Alert] = rule.Expr
		}
	}
	return rules, nil
}

// check finds what rules and dashboard name and the operator never said, and queries that have no answer.
func (r *recording) check(ctx context.Context, b *board, rules map[string]string, rateInterval time.Duration) error {
	var errs []error
	for alert, expr := range rules {
		errs = append(errs, r.lacks("the alert "+alert, expr))
	}
	values := b.everything(rateInterval.String())
	for _, v := range b.Templating.List {
		if v.Type == "query" {
			errs = append(errs, r.checkVariable(v, values))
		}
	}
	for _, p := range b.Panels {
		for _, t := range p.Targets {
			where := fmt.Sprintf("the panel %q, query %s", p.Title, t.RefID)
			errs = append(errs, r.lacks(where, fill(t.Expr, values)))
			lines, err := r.ask(ctx, t, values, r.first, r.last, time.Second)
			if err == nil && len(lines) == 0 {
				err = errors.New("no data")
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", where, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (r *recording) checkVariable(v variable, values map[string]string) error {
	where := "the variable " + v.Name
	match := labelValues.FindStringSubmatch(v.Definition)
	if match == nil {
		return fmt.Errorf("%s: %q is no label_values", where, v.Definition)
	}
	return r.lacks(where, fmt.Sprintf("sum by (%s) (%s)", match[2], fill(match[1], values)))
}

// lacks says what an expression needs and nobody ever said.
func (r *recording) lacks(where, expr string) error {
	all, err := needs(expr)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	var errs []error
	for _, n := range all {
		if !r.said[n] {
			errs = append(errs, fmt.Errorf("%s names %s, which the operator never said", where, n))
		}
	}
	return errors.Join(errs...)
}
