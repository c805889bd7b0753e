package store

import "os"

// Unsynced opens a store that does not wait for the disk, to show that a test
// would notice.
func Unsynced(path string, o Options) (*Bolt, error) {
	o.noSync = true
	return Open(path, o)
}

// OpenThrough opens a store whose file comes from a function.
func OpenThrough(path string, open func(string, int, os.FileMode) (*os.File, error)) (*Bolt, error) {
	return Open(path, Options{openFile: open})
}

// LimitSegments makes a trail's segments short.
func (a *Audit) LimitSegments(bytes int64) { a.limit = bytes }
