package main

import (
	"fmt"
	"html"
	"strings"
)

// canvas is an SVG that is being written.
type canvas struct{ out strings.Builder }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.out, format+"\n", args...) }

// box is a rectangle in pixels.
type box struct{ x, y, w, h float64 }

// inset is the box without a margin at each side.
func (b box) inset(left, top, right, bottom float64) box {
	return box{b.x + left, b.y + top, b.w - left - right, b.h - top - bottom}
}

func (c *canvas) rect(b box, fill, stroke string) {
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3" fill="%s" stroke="%s"/>`, b.x, b.y, b.w, b.h, fill, stroke)
}

// style of a text.
type style struct {
	size   float64
	color  string
	anchor string // start, middle or end
	bold   bool
}

func (c *canvas) text(x, y float64, s style, text string) {
	weight := "400"
	if s.bold {
		weight = "600"
	}
	c.add(`<text x="%.1f" y="%.1f" font-size="%.0f" fill="%s" text-anchor="%s" font-weight="%s">%s</text>`,
		x, y, s.size, s.color, s.anchor, weight, html.EscapeString(text))
}

func (c *canvas) rule(x1, y1, x2, y2 float64, color, dash string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-dasharray="%s"/>`, x1, y1, x2, y2, color, dash)
}

// widthOf is about how wide a text is.
func widthOf(text string, size float64) float64 { return float64(len([]rune(text))) * size * 0.55 }
