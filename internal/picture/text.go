package picture

import (
	"image/color"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

type rgba = color.RGBA

type weight int

const (
	regular weight = iota
	bold
)

// fonts are the faces that a picture has used, by weight and size.
type fonts struct {
	parsed [2]*opentype.Font
	faces  map[[2]int]font.Face
}

func newFonts() fonts {
	f := fonts{faces: map[[2]int]font.Face{}}
	for w, ttf := range [][]byte{regular: goregular.TTF, bold: gobold.TTF} {
		var err error
		if f.parsed[w], err = opentype.Parse(ttf); err != nil {
			panic(err) // they are part of the program
		}
	}
	return f
}

func (f fonts) face(w weight, size int) font.Face {
	key := [2]int{int(w), size}
	if f.faces[key] == nil {
		face, err := opentype.NewFace(f.parsed[w], &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic(err) // only ever for a size that is none
		}
		f.faces[key] = face
	}
	return f.faces[key]
}

// text writes a line whose top left is at x, y, no wider than most, and returns
// where it ends.
func (c *canvas) text(s string, x, y float64, w weight, size int, col rgba, most float64) float64 {
	c.SetFontFace(c.fonts.face(w, size))
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
	wide, _ := c.MeasureString(s)
	return x + wide
}

// right writes a line that ends at x and whose middle is at y.
func (c *canvas) right(s string, x, y float64, size int, col rgba) {
	c.rightTop(s, x, y-float64(size)*0.62, size, col)
}

// rightTop writes a line that ends at x, below y.
func (c *canvas) rightTop(s string, x, y float64, size int, col rgba) {
	c.text(s, x-c.width(s, regular, size), y, regular, size, col, width)
}

// width is how wide a line would be.
func (c *canvas) width(s string, w weight, size int) float64 {
	c.SetFontFace(c.fonts.face(w, size))
	wide, _ := c.MeasureString(s)
	return wide
}
