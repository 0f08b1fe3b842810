package main

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"time"
)

// report is what is written as JSON.
type report struct {
	Users         int     `json:"users"`
	Create        phase   `json:"create"`
	Restart       phase   `json:"restart"`
	Idle          phase   `json:"idle"`
	Drift         drift   `json:"drift"`
	PeakMemoryMiB float64 `json:"peakMemoryMiB"`
	Floor         floor   `json:"floor"`
}

// phase is what one phase took and cost.
type phase struct {
	Seconds float64 `json:"seconds"`
	// RemoteCalls by operation, as the service counted them.
	RemoteCalls map[string]int `json:"remoteCalls"`
	// KubernetesWrites of the manager's user, without events, leases and dry runs; refused ones are counted.
	KubernetesWrites int `json:"kubernetesWrites"`
}

type drift struct {
	phase
	// Users whose account was edited, and how long after the edit it was as stated again.
	Users      int     `json:"users"`
	SecondsP50 float64 `json:"secondsP50"`
	SecondsMax float64 `json:"secondsMax"`
}

// floor is how long a bare client takes for the same objects.
type floor struct {
	SequentialSeconds float64 `json:"sequentialSeconds"`
	ParallelSeconds   float64 `json:"parallelSeconds"`
}

func (r report) write(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644) //nolint:gosec // figures are for everybody
}

// seconds rounds to milliseconds: there is nothing true behind them.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// median and longest of durations, of which there is at least one.
func medianAndLongest(durations []time.Duration) (median, longest time.Duration) {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[(len(sorted)-1)/2], sorted[len(sorted)-1]
}
