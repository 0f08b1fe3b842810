package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figures are what was measured, with what a reader of the table wants to know besides the JSON.
type figures struct {
	users                               int
	create, count, restart, idle, drift measured        // count is in the table only
	corrected                           []time.Duration // per user whose account was edited
	peakMemory                          int             // bytes
	sequential, parallel                time.Duration
	// sequentialUsers is how many users the sequential floor was measured with; its time is scaled up when that is not all.
	sequentialUsers int
}

// measured is one phase.
type measured struct {
	took   time.Duration
	calls  map[string]int
	writes map[string]int // by verb and resource
}

func (m measured) phase() phase {
	// The copy makes no calls {} instead of null.
	return phase{Seconds: seconds(m.took), RemoteCalls: maps.Collect(maps.All(m.calls)), KubernetesWrites: total(m.writes)}
}

func (f figures) report() report {
	median, longest := medianAndLongest(f.corrected)
	return report{
		Users:  f.users,
		Create: f.create.phase(), Restart: f.restart.phase(), Idle: f.idle.phase(),
		Drift: drift{
			phase: f.drift.phase(), Users: len(f.corrected), SecondsP50: seconds(median), SecondsMax: seconds(longest),
		},
		PeakMemoryMiB: float64(f.peakMemory>>10) / 1024,
		Floor:         floor{SequentialSeconds: seconds(f.sequential), ParallelSeconds: seconds(f.parallel)},
	}
}

func (f figures) print(out io.Writer, machine string, opts options) {
	fmt.Fprintf(out, "\n%s\n%d users, listing interval %s\n\n", machine, f.users, opts.interval)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "phase\tseconds\tremote calls\tKubernetes writes\tper user\t")
	for _, row := range []struct {
		name string
		measured
		users int
	}{
		{"create", f.create, f.users}, {"counts in the connection", f.count, f.users}, {"restart", f.restart, f.users}, {"idle, one interval", f.idle, f.users},
		{fmt.Sprintf("drift on %d users", len(f.corrected)), f.drift, len(f.corrected)},
	} {
		calls, writes := float64(total(row.calls)), float64(total(row.writes))
		fmt.Fprintf(w, "%s\t%.1f\t%s\t%s\t%.2f calls, %.2f writes\t\n",
			row.name, row.took.Seconds(), list(row.calls), list(row.writes), calls/float64(row.users), writes/float64(row.users))
	}
	_ = w.Flush() // nothing to do about a closed terminal
	median, longest := medianAndLongest(f.corrected)
	scaled := ""
	if f.sequentialUsers < f.users {
		scaled = fmt.Sprintf(" (scaled up from %d users)", f.sequentialUsers)
	}
	fmt.Fprintf(out, "\nedit to correction    %.1f s median, %.1f s longest\npeak memory           %.1f MiB\n"+
		"floor, bare client    %.1f s one after the other%s, %.1f s with %d at once\ncreate against floor  %.2f of sequential, %.2f of parallel\n",
		median.Seconds(), longest.Seconds(), float64(f.peakMemory)/(1<<20),
		f.sequential.Seconds(), scaled, f.parallel.Seconds(), workers,
		f.create.took.Seconds()/f.sequential.Seconds(), f.create.took.Seconds()/f.parallel.Seconds())
}

func total(counts map[string]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// list spells counts in a fixed order.
func list(counts map[string]int) string {
	if total(counts) == 0 {
		return "0"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(parts, ", ")
}
