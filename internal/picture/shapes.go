package picture

import "pagbot/internal/history"

func (c *canvas) line(x1, y1, x2, y2 float64) {
	c.DrawLine(x1, y1, x2, y2)
	c.Stroke()
}

// mark draws one measurement between two heights; low is the lower one on
// screen. Where something is required, what can't be told is grey.
func (c *canvas) mark(m Mark, x, low, high, thick float64, judged bool) {
	col := good
	switch {
	case m.Late:
		col = bad
	case judged && m.Shape != Solid, m.Shape == Ring:
		col = faint
	}
	c.SetColor(col)
	c.SetLineCapButt()
	c.SetLineWidth(2.5)
	low, high = seen(m, low, high)
	switch m.Shape {
	case Solid:
		c.DrawRoundedRectangle(x-thick/2, high, thick, low-high, thick/3)
		c.Fill()
	case Crossed:
		c.DrawRectangle(x-thick/2, high, thick, low-high)
		c.Fill()
		c.cross(x, high-2, 4+thick*0.45)
	case Hollow:
		c.hollow(x, low, high, max(thick, 7))
	case Arrow:
		c.arrow(x, low, high)
	case Ring:
		c.DrawCircle(x, low-18, 5)
		c.Stroke()
	}
}

// seen makes a bar tall enough to be seen, and keeps it on its side of the
// requirement.
func seen(m Mark, low, high float64) (float64, float64) {
	const least = 11
	switch lacks := least - (low - high); {
	case lacks <= 0 || m.Shape == Arrow:
	case m.Shape == Crossed:
		high -= lacks
	case m.Shape == Hollow:
		low, high = low+lacks/2, high-lacks/2
	default:
		low += lacks
	}
	return low, high
}

func (c *canvas) hollow(x, low, high, thick float64) {
	c.SetColor(field)
	c.DrawRectangle(x-thick/2, high, thick, low-high)
	c.FillPreserve()
	c.SetColor(faint)
	c.Stroke()
}

// arrow begins with a stop, goes up and has no end.
func (c *canvas) arrow(x, low, high float64) {
	high = min(high+5, low-14)
	c.SetDash(7, 5)
	c.line(x, low, x, high)
	c.SetDash()
	c.line(x-7, low, x+7, low)
	c.MoveTo(x-7, high+10)
	c.LineTo(x, high)
	c.LineTo(x+7, high+10)
	c.Stroke()
}

func (c *canvas) cross(x, y, r float64) {
	c.SetLineWidth(4)
	c.line(x-r, y-r, x+r, y+r)
	c.line(x-r, y+r, x+r, y-r)
}

// sign is a tick, a cross or a question mark.
func (c *canvas) sign(v history.Verdict, x, y float64, col rgba) {
	c.SetColor(col)
	c.SetLineWidth(5.5)
	c.SetLineCapRound()
	switch v {
	case history.Met:
		c.MoveTo(x-12, y)
		c.LineTo(x-3, y+10)
		c.LineTo(x+13, y-11)
		c.Stroke()
	case history.Missed:
		c.line(x-10, y-10, x+10, y+10)
		c.line(x-10, y+10, x+10, y-10)
	default:
		c.text("?", x-8, y-19, bold, 34, col, 40)
	}
	c.SetLineCapButt()
}

// legend explains the shapes at the foot of the picture.
func (c *canvas) legend(y float64, judged bool) {
	x := 36.0
	for _, l := range legend(judged) {
		m := Mark{Shape: l.shape, Late: l.late}
		c.mark(m, x, y+42, y+8, 10, judged)
		x = c.text(l.text, x+20, y+8, regular, 27, ink, width) + 44
	}
	c.text(explained, 24, y+62, regular, 26, faint, width-48)
}
