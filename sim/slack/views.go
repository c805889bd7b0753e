package slack

type view struct{}

func viewsOpen(c *call) (answer, error)    { return nil, refuse("unknown_method") }
func viewsPush(c *call) (answer, error)    { return nil, refuse("unknown_method") }
func viewsUpdate(c *call) (answer, error)  { return nil, refuse("unknown_method") }
func viewsPublish(c *call) (answer, error) { return nil, refuse("unknown_method") }
