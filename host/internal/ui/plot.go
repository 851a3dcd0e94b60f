package ui

import (
	"math"
	"strconv"
)

// plot is a bar chart. It is drawn here, as SVG: so it is there without
// JavaScript, and needs no style of its own in the page.
type plot struct {
	Title, Unit string
	Bars        []bar
	Top         string // words for the height
}

// bar is one value.
type bar struct {
	Value float64
	Bad   bool
	Label string // told of it

	X, Y, W, H string // where it is drawn
}

// The plot's place in its own units.
const (
	plotWidth  = 600.0
	plotHeight = 120.0
)

// drawn gives each bar its place.
func (p plot) drawn() plot {
	var top float64
	for _, b := range p.Bars {
		top = math.Max(top, b.Value)
	}
	p.Top = num(int64(top))
	if len(p.Bars) == 0 {
		return p
	}
	at := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	step := plotWidth / math.Max(float64(len(p.Bars)), 20)
	for i := range p.Bars {
		h := 2.0 // so that nothing is to be seen as well
		if top > 0 {
			h = math.Max(h, p.Bars[i].Value/top*plotHeight)
		}
		if p.Bars[i].Bad {
			h = math.Max(h, 12)
		}
		b := &p.Bars[i]
		b.X, b.Y, b.W, b.H = at(float64(i)*step+1), at(plotHeight-h+14), at(step-2), at(h)
	}
	return p
}
