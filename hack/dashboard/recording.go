package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// The labels that Prometheus itself adds to what it scrapes through the ServiceMonitor.
const (
	jobName   = "trustbuilder-mfa-controller-manager-metrics-service"
	namespace = "trustbuilder-mfa-system"
)

var targetLabels = []string{"job", "namespace", "instance", "pod"}

// recording is what Prometheus would know after the scrapes of a file.
type recording struct {
	db          *tsdb.DB
	dir         string
	first, last time.Time
	// said are the names, labels and values that occurred.
	said map[need]bool
}

// scrapeLine begins a scrape in the file: the time in milliseconds and the Pod.
const scrapeLine = "# SCRAPE %d %s"

// readRecording stores the scrapes of a file as Prometheus does, the end of a series included.
func readRecording(ctx context.Context, path string) (_ *recording, err error) {
	file, err := os.Open(path) //nolint:gosec // a flag names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	r := &recording{said: map[need]bool{}}
	if r.dir, err = os.MkdirTemp("", "dashboard-"); err != nil {
		return nil, err
	}
	if r.db, err = tsdb.Open(r.dir, nil, nil, tsdb.DefaultOptions(), nil); err != nil {
		return nil, errors.Join(err, os.RemoveAll(r.dir))
	}
	if err := r.read(ctx, file); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), r.close())
	}
	return r, nil
}

func (r *recording) close() error { return errors.Join(r.db.Close(), os.RemoveAll(r.dir)) }

func (r *recording) read(ctx context.Context, file io.Reader) error {
	before := map[string]map[string]labels.Labels{} // the series of the last scrape, by Pod
	var (
		at   int64
		pod  string
		body bytes.Buffer
	)
	store := func() error {
		if pod == "" {
			return nil
		}
		now, err := r.store(ctx, at, pod, body.Bytes(), before[pod])
		before[pod] = now
		body.Reset()
		return err
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "# SCRAPE ") {
			body.WriteString(line + "\n")
			continue
		}
		if err := store(); err != nil {
			return err
		}
		if _, err := fmt.Sscanf(line, scrapeLine, &at, &pod); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		if r.first.IsZero() {
			r.first = time.UnixMilli(at)
		}
		r.last = time.UnixMilli(at)
	}
	return errors.Join(lines.Err(), store())
}

// store adds one scrape, and ends the series that the one before still had.
func (r *recording) store(ctx context.Context, at int64, pod string, body []byte, before map[string]labels.Labels) (now map[string]labels.Labels, err error) {
	now = map[string]labels.Labels{}
	app := r.db.Appender(ctx)
	symbols := labels.NewSymbolTable()
	samples := textparse.NewPromParser(body, symbols, false)
	for {
		entry, err := samples.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, app.Rollback())
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, v := samples.Series()
		var series labels.Labels
		samples.Labels(&series)
		r.note(series)
		series = labels.NewBuilder(series).Set("job", jobName).Set("namespace", namespace).Set("instance", pod+":8443").Set("pod", pod).Labels()
		now[series.String()] = series
		if _, err := app.Append(0, series, at, v); err != nil {
			return nil, errors.Join(err, app.Rollback())
		}
	}
	return now, errors.Join(endSeries(app, at, before, now), app.Commit())
}

func endSeries(app storage.Appender, at int64, before, now map[string]labels.Labels) error {
	for key, series := range before {
		if _, ok := now[key]; ok {
			continue
		}
		if _, err := app.Append(0, series, at, math.Float64frombits(value.StaleNaN)); err != nil {
			return err
		}
	}
	return nil
}

// note remembers what exists. Target labels are Prometheus' own, and exist always.
func (r *recording) note(series labels.Labels) {
	name := series.Get(labels.MetricName)
	r.said[need{metric: name}] = true
	series.Range(func(l labels.Label) {
		r.said[need{metric: name, label: l.Name}] = true
		r.said[need{metric: name, label: l.Name, value: l.Value}] = true
	})
	for _, label := range targetLabels {
		r.said[need{metric: name, label: label}] = true
	}
}
