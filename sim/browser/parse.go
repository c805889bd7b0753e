package browser

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// node is an element, or a piece of text, which has no name.
type node struct {
	name     string
	text     string
	attrs    []xml.Attr
	parent   *node
	children []*node
}

// parse reads a page with encoding/xml in its lenient mode, which knows HTML's
// empty elements and bare attributes. It repairs less than browsers do: a page
// that it can't read is one that had better be mended.
func parse(page []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Strict, d.AutoClose = false, xml.HTMLAutoClose
	root := &node{}
	at := root
	for {
		token, err := d.Token()
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: strings.ToLower(token.Name.Local), attrs: token.Copy().Attr, parent: at}
			at.children = append(at.children, n)
			at = n
		case xml.EndElement:
			if at != root {
				at = at.parent
			}
		case xml.CharData:
			at.children = append(at.children, &node{text: string(token), parent: at})
		}
		if err == io.EOF {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// within are the elements of this name below a node.
func (n *node) within(name string) (all []*node) {
	for _, c := range n.children {
		if c.name == name {
			all = append(all, c)
		}
		all = append(all, c.within(name)...)
	}
	return all
}

func attr(n *node, key string) string {
	for _, a := range n.attrs {
		if strings.EqualFold(a.Name.Local, key) {
			return a.Value
		}
	}
	return ""
}

func has(n *node, key string) bool {
	for _, a := range n.attrs {
		if strings.EqualFold(a.Name.Local, key) {
			return true
		}
	}
	return false
}
