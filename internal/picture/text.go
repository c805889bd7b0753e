package picture

import (
	"image/color"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

type rgba = color.RGBA

type weight int

const (
	regular weight = iota
	bold
)

// fonts are the faces that a picture has used, by size. One font does for both
// weights: a second one would cost the program 150 kB.
type fonts struct {
	parsed *opentype.Font
	faces  map[int]font.Face
}

func newFonts() fonts {
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // it is part of the program
	}
	return fonts{parsed, map[int]font.Face{}}
}

func (f fonts) face(size int) font.Face {
	if f.faces[size] == nil {
		face, err := opentype.NewFace(f.parsed, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic(err) // only ever for a size that is none
		}
		f.faces[size] = face
	}
	return f.faces[size]
}

// text writes a line whose top left is at x, y, no wider than most, and returns
// where it ends.
func (c *canvas) text(s string, x, y float64, w weight, size int, col rgba, most float64) float64 {
	c.SetFontFace(c.fonts.face(size))
	c.SetColor(col)
	s = strings.Join(strings.Fields(s), " ")
	r := []rune(s)
	if len(r) > 200 {
		r = r[:200] // no line is so long
		s = string(r)
	}
	for len(r) > 1 {
		if wide, _ := c.MeasureString(s); wide <= most {
			break
		}
		r = r[:len(r)-1]
		s = strings.TrimSpace(string(r)) + "…"
	}
	c.DrawString(s, x, y+float64(size))
	if w == bold {
		c.DrawString(s, x+1, y+float64(size)) // thicker strokes
	}
	wide, _ := c.MeasureString(s)
	return x + wide
}

// right writes a line that ends at x and whose middle is at y.
func (c *canvas) right(s string, x, y float64, size int, col rgba) {
	c.rightTop(s, x, y-float64(size)*0.62, size, col)
}

// rightTop writes a line that ends at x, below y.
func (c *canvas) rightTop(s string, x, y float64, size int, col rgba) {
	c.text(s, x-c.width(s, size), y, regular, size, col, width)
}

// width is how wide a line would be.
func (c *canvas) width(s string, size int) float64 {
	c.SetFontFace(c.fonts.face(size))
	wide, _ := c.MeasureString(s)
	return wide
}
