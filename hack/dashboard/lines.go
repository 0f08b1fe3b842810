package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// plot is the inside of a time series' panel.
type plot struct {
	view
	*canvas
	box
	top float64 // the value at the upper edge
}

func (p plot) at(t time.Time, v float64) (x, y float64) {
	return p.x + p.w*float64(t.Sub(p.from))/float64(p.to.Sub(p.from)), p.y + p.h*(1-v/p.top)
}

// lines draws series over time, with axes and legend.
func (v view) lines(c *canvas, b box, p panel, lines []line) {
	looks := p.looks(lines)
	rows := c.legend(b, lines, looks)
	d := p.FieldConfig.Defaults
	stacked := d.Custom.Stacking.Mode == "normal"
	drawn := lines
	if stacked {
		drawn = v.stack(lines)
	}
	scale := ticksIn(d.Unit, largestOf(drawn))
	in := plot{v, c, b.inset(46, 0, 4, 22+float64(rows)*18), scale[len(scale)-1]}
	in.axes(scale, d)
	if d.Custom.ThresholdsStyle.Mode == "line" {
		in.thresholds(d)
	}
	for n := len(drawn) - 1; n >= 0; n-- { // the highest of a stack first, so that the lower ones cover it
		if stacked {
			in.area(drawn[n], looks[n])
		} else {
			in.curve(drawn[n], looks[n])
		}
	}
}

// stack puts each series on top of those before. One that says nothing at a time adds nothing.
func (v view) stack(lines []line) []line {
	out := make([]line, len(lines))
	sums := map[int64]float64{}
	for n, l := range lines {
		values := map[int64]float64{}
		for _, p := range l.points {
			values[p.at.UnixMilli()] = p.v
		}
		out[n].name = l.name
		for at := v.from; !at.After(v.to); at = at.Add(v.step) {
			key := at.UnixMilli()
			sums[key] += values[key]
			out[n].points = append(out[n].points, point{at, sums[key]})
		}
	}
	return out
}

func largestOf(lines []line) (largest float64) {
	for _, l := range lines {
		for _, p := range l.points {
			largest = max(largest, p.v)
		}
	}
	return largest
}

func (p plot) axes(scale []float64, d defaults) {
	for _, tick := range scale {
		_, y := p.at(p.from, tick)
		p.rule(p.x, y, p.x+p.w, y, grid, "none")
		p.text(p.x-6, y+4, style{11, faint, "end", false}, spell(tick, d.Unit, nil))
	}
	every, clock := 2*time.Minute, "15:04"
	if p.to.Sub(p.from) < 4*time.Minute {
		every, clock = 20*time.Second, "15:04:05"
	}
	for at := p.from.Truncate(every).Add(every); at.Before(p.to); at = at.Add(every) {
		x, _ := p.at(at, 0)
		p.rule(x, p.y, x, p.y+p.h, grid, "none")
		p.text(x, p.y+p.h+15, style{11, faint, "middle", false}, at.UTC().Format(clock))
	}
}

func (p plot) thresholds(d defaults) {
	for _, step := range d.Thresholds.Steps {
		if step.Value != nil && *step.Value < p.top {
			_, y := p.at(p.from, *step.Value)
			p.rule(p.x, y, p.x+p.w, y, named[step.Color], "4 4")
		}
	}
}

// curve draws a line, broken where nothing was known.
func (p plot) curve(l line, look look) {
	var path strings.Builder
	for n, point := range l.points {
		x, y := p.at(point.at, point.v)
		command := "L"
		if n == 0 || point.at.Sub(l.points[n-1].at) > p.step*3/2 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, x, y)
	}
	p.add(`<path d="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round" stroke-dasharray="%s"/>`, path.String(), look.color, orNone(look.dash))
}

func (p plot) area(l line, look look) {
	var path strings.Builder
	for _, point := range l.points {
		x, y := p.at(point.at, point.v)
		fmt.Fprintf(&path, "L%.1f %.1f", x, y)
	}
	edge := "M" + path.String()[1:]
	left, floor := p.at(l.points[0].at, 0)
	right, _ := p.at(l.points[len(l.points)-1].at, 0)
	p.add(`<path d="%sL%.1f %.1fL%.1f %.1fZ" fill="%s"/>`, edge, right, floor, left, floor, surface) // nothing shines through
	p.add(`<path d="%sL%.1f %.1fL%.1f %.1fZ" fill="%s" fill-opacity="0.45"/>`, edge, right, floor, left, floor, look.color)
	p.add(`<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, edge, look.color)
}

func orNone(dash string) string {
	if dash == "" {
		return "none"
	}
	return dash
}

// legend writes the names of the series from the bottom up and returns how many rows it took.
func (c *canvas) legend(b box, lines []line, looks []look) (rows int) {
	type entry struct {
		x   float64
		row int
	}
	var entries []entry
	x, row := 0.0, 0
	for _, l := range lines {
		width := 22 + widthOf(l.name, 11) + 10
		if x > 0 && x+width > b.w {
			x, row = 0, row+1
		}
		entries = append(entries, entry{x, row})
		x += width
	}
	rows = row + 1
	for n, e := range slices.All(entries) {
		y := b.y + b.h - float64(rows-1-e.row)*18 - 4
		c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="3" stroke-dasharray="%s"/>`,
			b.x+e.x, y-4, b.x+e.x+14, y-4, looks[n].color, orNone(looks[n].dash))
		c.text(b.x+e.x+20, y, style{11, ink, "start", false}, lines[n].name)
	}
	return rows
}
