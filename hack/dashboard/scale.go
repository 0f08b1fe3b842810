package main

import (
	"fmt"
	"math"
	"strconv"
)

// ticks are round numbers from 0 to the first that is not below the largest value.
func ticks(largest float64, wanted int) []float64 {
	if largest <= 0 {
		largest = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(largest/float64(wanted))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if largest/(step*factor) <= float64(wanted) {
			step *= factor
			break
		}
	}
	var out []float64
	for n := 0; ; n++ {
		out = append(out, float64(n)*step)
		if float64(n)*step >= largest {
			return out
		}
	}
}

// ticksIn are ticks that are round in a unit: bytes are counted by the mebibyte.
func ticksIn(unit string, largest float64) []float64 {
	if unit != "bytes" {
		return ticks(largest, 5)
	}
	out := ticks(largest/(1<<20), 5)
	for n := range out {
		out[n] *= 1 << 20
	}
	return out
}

// spell writes a value in a unit of Grafana's, of which these are the ones in use.
func spell(v float64, unit string, decimals *int) string {
	places := 2
	if decimals != nil {
		places = *decimals
	}
	plain := func(v float64) string {
		scale := math.Pow(10, float64(places))
		return strconv.FormatFloat(math.Round(v*scale)/scale, 'f', -1, 64)
	}
	switch unit {
	case "percentunit":
		return plain(v*100) + "%"
	case "d":
		return plain(v) + " d"
	case "reqps":
		return plain(v) + "/s"
	case "bytes":
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	case "s":
		if v > 0 && v < 1 {
			return strconv.FormatFloat(math.Round(v*10000)/10, 'g', 4, 64) + " ms"
		}
		return plain(v) + " s"
	}
	return plain(v)
}
