package activation

import (
	"strings"
	"unicode"
)

// Visible is somebody's text without the signs that nobody sees: they could turn
// a line around, hide in a name, or move a terminal's cursor.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsSpace(r) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
