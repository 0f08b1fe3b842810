package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	unitWidth  = 60.0 // of a column of Grafana's grid
	unitHeight = 38.0
	gap        = 8.0
	header     = 56.0
	steps      = 180 // that a time series is drawn in
)

// view is what the panels look at.
type view struct {
	recording *recording
	values    map[string]string
	from, to  time.Time
	step      time.Duration
}

// draw writes the dashboard into a file: its panels where they stand in Grafana, with the answers to their own queries.
func (r *recording) draw(ctx context.Context, b *board, opts options) error {
	v := view{
		recording: r, values: b.everything(opts.rateInterval.String()),
		from: r.first, to: r.last, step: max((r.last.Sub(r.first) / steps).Truncate(time.Millisecond), time.Millisecond),
	}
	bottom := 0
	for _, p := range b.Panels {
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	width, height := columnsOfGrid*unitWidth+gap, float64(bottom)*unitHeight+header+gap
	c := &canvas{}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="Inter, 'Helvetica Neue', Arial, sans-serif">`,
		width, height, width, height)
	c.rect(box{0, 0, width, height}, background, background)
	c.text(gap+4, 35, style{20, ink, "start", true}, b.Title)
	c.text(width-gap-4, 35, style{13, faint, "end", false}, fmt.Sprintf("%d minutes of the real operator against the simulated service",
		int(v.to.Sub(v.from).Round(time.Minute).Minutes())))
	for _, p := range b.Panels {
		if err := v.panel(ctx, c, p); err != nil {
			return fmt.Errorf("the panel %q: %w", p.Title, err)
		}
	}
	c.add("</svg>")
	return os.WriteFile(opts.draw, []byte(c.out.String()), 0o644) //nolint:gosec // a picture for everybody
}

const columnsOfGrid = 24

func (v view) panel(ctx context.Context, c *canvas, p panel) error {
	var lines []line
	for _, t := range p.Targets {
		answer, err := v.recording.ask(ctx, t, v.values, v.from, v.to, v.step)
		if err != nil {
			return err
		}
		lines = append(lines, answer...)
	}
	pos := p.GridPos
	outer := box{float64(pos.X)*unitWidth + gap, float64(pos.Y)*unitHeight + header, float64(pos.W)*unitWidth - gap, float64(pos.H)*unitHeight - gap}
	c.rect(outer, surface, border)
	c.text(outer.x+12, outer.y+22, style{14, ink, "start", true}, p.Title)
	inner := outer.inset(12, 36, 12, 10)
	switch p.Type {
	case "stat":
		c.stat(inner, p, lines)
	case "bargauge":
		c.bars(inner, p, lines)
	case "timeseries":
		v.lines(c, inner, p, lines)
	default:
		return fmt.Errorf("no way to draw a %s", p.Type)
	}
	return nil
}

// stat draws one number.
func (c *canvas) stat(b box, p panel, lines []line) {
	if len(lines) == 0 {
		c.text(b.x+b.w/2, b.y+b.h/2, style{20, faint, "middle", false}, "no data")
		return
	}
	value := lines[0].last()
	d := p.FieldConfig.Defaults
	c.text(b.x+b.w/2, b.y+b.h*0.66, style{46, d.colorOf(value), "middle", true}, spell(value, d.Unit, d.Decimals))
}

// bars draws one bar for each series, all to one scale.
func (c *canvas) bars(b box, p panel, lines []line) {
	largest, widest := 1.0, 0.0
	for _, l := range lines {
		largest, widest = max(largest, l.last()), max(widest, widthOf(l.name, 14))
	}
	const room = 56 // for the number
	height := b.h / float64(max(len(lines), 1))
	looks := p.looks(lines)
	for n, l := range lines {
		row := box{b.x + widest + 12, b.y + float64(n)*height + height*0.16, b.w - widest - 12 - room, height * 0.68}
		c.rect(row, "#22252b", "none")
		c.text(b.x, row.y+row.h/2+5, style{14, ink, "start", false}, l.name)
		filled := row
		filled.w *= l.last() / largest
		c.rect(filled, looks[n].color, "none")
		c.text(b.x+b.w, row.y+row.h/2+7, style{20, looks[n].color, "end", true}, spell(l.last(), p.FieldConfig.Defaults.Unit, nil))
	}
}

func (l line) last() float64 { return l.points[len(l.points)-1].v }
