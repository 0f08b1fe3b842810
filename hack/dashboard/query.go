package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	engine "github.com/prometheus/prometheus/promql"
)

// line is one series of a panel.
type line struct {
	name   string
	points []point
}

type point struct {
	at time.Time
	v  float64
}

func newEngine() *engine.Engine {
	return engine.NewEngine(engine.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: promql})
}

// ask evaluates a target from one time to another, or at the end alone when it is an instant one.
func (r *recording) ask(ctx context.Context, t target, values map[string]string, from, to time.Time, step time.Duration) ([]line, error) {
	if t.Instant {
		from = to
	}
	query, err := newEngine().NewRangeQuery(ctx, r.db, nil, fill(t.Expr, values), from, to, step)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Expr, err)
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, fmt.Errorf("%s: %w", t.Expr, result.Err)
	}
	matrix, err := result.Matrix()
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, series := range matrix {
		l := line{name: legend(t.Legend, series.Metric)}
		for _, p := range series.Floats {
			if !math.IsNaN(p.F) && !math.IsInf(p.F, 0) {
				l.points = append(l.points, point{time.UnixMilli(p.T), p.F})
			}
		}
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

var legendLabel = regexp.MustCompile(`\{\{ *([a-z_]+) *\}\}`)

// legend fills a legendFormat in.
func legend(format string, metric labels.Labels) string {
	return legendLabel.ReplaceAllStringFunc(format, func(in string) string {
		return metric.Get(strings.Trim(in, "{} "))
	})
}
