package slack

// View is an open modal or Home tab.
type View struct{}

// Views lists open modals.
func (p *Person) Views() []View { return nil }

// Home is the Home tab.
func (p *Person) Home(appID ...string) (View, bool) { return View{}, false }
func (w *World) manage()                            {}
