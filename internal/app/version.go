package app

import "runtime/debug"

// Version is the module's, or the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (info.Main.Version == "" || info.Main.Version == "(devel)") {
			return "devel " + s.Value[:min(12, len(s.Value))]
		}
	}
	if info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
