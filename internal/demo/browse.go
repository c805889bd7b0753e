package demo

import (
	"fmt"
	"strings"

	"pagbot/sim/browser"
)

// Confirm follows a sign-in link as its person would: reads the page, goes on,
// signs in at the authority where it asks, and confirms. It returns what the
// last page says. before, if given, is called right before each button.
func Confirm(b *browser.Browser, link, account string, before ...func(button string)) (string, error) {
	if _, err := b.Open(link); err != nil {
		return "", err
	}
	// Continue, sign-in, perhaps consent, Confirm: never more than a handful.
	for range 8 {
		p := b.Page()
		if len(p.Forms) == 0 {
			return Words(p), nil
		}
		var err error
		button := p.Forms[0].Buttons[0].Text
		for _, f := range before {
			f(button)
		}
		switch button {
		case "Sign in":
			if err = b.Fill("account", account); err == nil {
				err = b.Fill("mfa", "yes")
			}
			if err == nil {
				_, err = b.Submit(button)
			}
		default:
			_, err = b.Submit(button)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", strings.TrimSpace(p.Title), err)
		}
	}
	return b.Page().Text, fmt.Errorf("the pages never end: %s", b.Page().Text)
}

// Words are what a person reads on a page: its title, and what follows.
func Words(p *browser.Page) string {
	text := strings.TrimPrefix(p.Text, "pagbot · privileged access ")
	text = strings.TrimSpace(strings.TrimPrefix(text, p.Title))
	return strings.TrimSuffix(p.Title, ".") + mark(p.Title) + " " + text
}

// mark ends a title that has no mark of its own.
func mark(title string) string {
	if strings.HasSuffix(title, "?") {
		return ""
	}
	return "."
}
