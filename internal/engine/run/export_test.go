package run

// Try lets a format through that is not released yet. It is called before any run.
func Try(format string) { onTrial = format }
