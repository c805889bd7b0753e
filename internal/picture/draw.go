package picture

import (
	"bytes"
	"image/color"
	"image/png"
	"time"

	"git.sr.ht/~sbinet/gg"

	"pagbot/internal/history"
)

// The picture is 1200 pixels wide and read on a phone at a third of that.
const (
	width   = 1200
	left    = 118 // of it, for the names of the scale
	right   = 24
	gap     = 44 // between the two panels of a band
	panelW  = (width - left - right - gap) / 2
	panelH  = 260
	head    = 118
	caption = 178 // above a panel: name, title, verdict, usual
	foot    = 62  // below a panel: days
	legendH = 118
)

// The colours are sober and told apart by people who see no red or green; the
// paper is opaque, so that the picture is the same on a light and a dark screen.
var (
	paper  = color.RGBA{0xfa, 0xfa, 0xf7, 0xff}
	field  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink    = color.RGBA{0x1f, 0x24, 0x2b, 0xff}
	faint  = color.RGBA{0x5b, 0x63, 0x6e, 0xff}
	grid   = color.RGBA{0xe1, 0xe3, 0xe6, 0xff}
	frame  = color.RGBA{0xb9, 0xbe, 0xc5, 0xff}
	good   = color.RGBA{0x1b, 0x6e, 0x8c, 0xff}
	bad    = color.RGBA{0xc4, 0x4a, 0x12, 0xff}
	beyond = color.RGBA{0xfb, 0xee, 0xe6, 0xff} // above the requirement
)

// PNG draws a report.
func PNG(r history.Report) ([]byte, error) {
	all, more := bands(r)
	c := &canvas{Context: gg.NewContext(width, head+len(all)*(caption+panelH+foot)+legendH), fonts: newFonts()}
	c.SetColor(paper)
	c.Clear()
	c.SetColor(frame)
	c.SetLineWidth(4) // the picture's edge, on a screen of its own colour
	c.DrawRectangle(0, 0, width, float64(c.Height()))
	c.Stroke()
	c.text(question, 24, 26, bold, 38, ink, width-48)
	sub := heading(r)
	if more > 0 {
		sub += "; " + leftOut(more)
	}
	c.text(sub, 24, 74, regular, 28, faint, width-48)
	y, judged := float64(head), false
	for _, b := range all {
		c.band(b, y, r.From, r.To)
		y += caption + panelH + foot
		judged = judged || b.grant.Limit >= 0 || b.remove.Limit >= 0
	}
	c.legend(y, judged)
	var out bytes.Buffer
	err := png.Encode(&out, c.Image())
	return out.Bytes(), err
}

// canvas is what is drawn on.
type canvas struct {
	*gg.Context
	fonts fonts
}

// band draws one target from a height on.
func (c *canvas) band(b band, y float64, from, to time.Time) {
	c.text(b.name, 24, y+4, bold, 34, ink, width-48)
	for _, t := range ticks {
		c.right(t.text, left-12, level(y+caption, height(t.at)), 26, faint)
	}
	c.panel(b.grant, left, y, from, to)
	c.panel(b.remove, left+panelW+gap, y, from, to)
}

func (c *canvas) panel(p Panel, x, y float64, from, to time.Time) {
	c.text(p.Title, x, y+52, bold, 29, ink, panelW)
	c.verdict(p, x, y+90)
	c.text(p.Usual, x, y+130, regular, 27, faint, panelW)
	top := y + caption
	at := func(h float64) float64 { return level(top, h) }
	c.SetColor(field)
	c.DrawRectangle(x, top, panelW, panelH)
	c.Fill()
	if p.Limit >= 0 {
		c.SetColor(beyond)
		c.DrawRectangle(x, top, panelW, at(p.Limit)-top)
		c.Fill()
	}
	c.SetColor(grid)
	c.SetLineWidth(1.5)
	for _, t := range ticks {
		c.line(x, at(height(t.at)), x+panelW, at(height(t.at)))
	}
	if p.Limit >= 0 {
		c.SetColor(ink)
		c.SetLineWidth(3)
		c.SetDash(12, 7)
		c.line(x, at(p.Limit), x+panelW, at(p.Limit))
		c.SetDash()
	}
	for _, m := range p.Marks {
		c.mark(m, x+12+m.X*(panelW-24), at(m.Low), at(m.High), thickness(len(p.Marks)), p.Limit >= 0)
	}
	c.SetColor(frame)
	c.SetLineWidth(2)
	c.DrawRectangle(x, top, panelW, panelH)
	c.Stroke()
	c.text(from.UTC().Format("2 Jan"), x, top+panelH+8, regular, 26, faint, panelW)
	if p.Limit >= 0 {
		c.swatch("too late: over "+p.Label, x+panelW/2, top+panelH+8)
	}
	c.rightTop(to.UTC().Format("2 Jan"), x+panelW, top+panelH+8, 26, faint)
}

// level is where a height lies on screen. Below the floor there is room for a
// mark that would be too flat to be seen.
func level(top, h float64) float64 { return top + 6 + (panelH-22)*(1-h) }

// swatch says what the tinted ground means, in the middle below it.
func (c *canvas) swatch(s string, x, y float64) {
	const size = 25
	x -= (c.width(s, size) + 36) / 2
	c.SetColor(beyond)
	c.DrawRectangle(x, y+5, 26, 22)
	c.FillPreserve()
	c.SetColor(frame)
	c.SetLineWidth(2)
	c.Stroke()
	c.text(s, x+36, y+1, regular, size, bad, panelW)
}

// thickness of a bar where there are so many.
func thickness(n int) float64 { return min(max(float64(panelW)/float64(n+1)*0.55, 4), 9) }

// verdict draws a sign and the words of a requirement.
func (c *canvas) verdict(p Panel, x, y float64) {
	col := faint
	switch p.Verdict {
	case history.Met:
		col = good
	case history.Missed:
		col = bad
	}
	if p.Verdict == history.None {
		c.text(p.Says, x, y, regular, 29, col, panelW)
		return
	}
	c.sign(p.Verdict, x+14, y+19, col)
	size := 29
	for ; size > 22 && c.width(p.Says, size) > panelW-40; size-- {
	}
	c.text(p.Says, x+40, y, bold, size, col, panelW-40)
}
