package main

import (
	"encoding/json"
	"regexp"
	"strings"
)

// The colours of Grafana's dark theme.
const (
	background = "#111217"
	surface    = "#181b1f"
	border     = "#2c3036"
	grid       = "#2a2d33"
	ink        = "#d8d9df"
	faint      = "#9a9cab"
)

var named = map[string]string{
	"green": "#73bf69", "blue": "#5794f2", "orange": "#ff9830", "red": "#f2495c", "yellow": "#fade2a", "purple": "#b877d9",
	"gray": "#8e909c", "light-blue": "#8ab8ff", "dark-red": "#c4162a", "dark-orange": "#fa6400", "dark-yellow": "#e0b400",
	"transparent": "none",
}

// palette is what Grafana calls classic: the colours of series that have none of their own.
var palette = []string{"#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a"}

// look is how a series is drawn.
type look struct{ color, dash string }

// looks are those of a panel's series: the n-th colour of the palette, unless an override says otherwise.
func (p panel) looks(lines []line) []look {
	out := make([]look, len(lines))
	for n, l := range lines {
		out[n] = look{color: palette[n%len(palette)]}
		for _, o := range p.FieldConfig.Overrides {
			if o.matches(l.name) {
				o.apply(&out[n])
			}
		}
	}
	return out
}

func (o override) matches(name string) bool {
	if o.Matcher.ID == "byName" {
		return o.Matcher.Options == name
	}
	pattern, err := regexp.Compile(strings.Trim(o.Matcher.Options, "/")) // byRegexp
	return err == nil && pattern.MatchString(name)
}

func (o override) apply(l *look) {
	for _, property := range o.Properties {
		switch property.ID {
		case "color":
			var color struct{ FixedColor string }
			if json.Unmarshal(property.Value, &color) == nil {
				l.color = named[color.FixedColor]
			}
		case "custom.lineStyle":
			l.dash = "6 4"
		}
	}
}

// colorOf is the colour of the threshold that a value has reached.
func (d defaults) colorOf(v float64) string {
	color := palette[0]
	for _, step := range d.Thresholds.Steps {
		if step.Value == nil || v >= *step.Value {
			color = named[step.Color]
		}
	}
	return color
}
