package postgres

// Pausing has a function called behind each of the steps whose order matters.
func (r Incremental) Pausing(pause func(step string)) Incremental {
	r.pause = pause
	return r
}

// ChangedSinceOf is the window of horizon xmin over an expression.
var ChangedSinceOf = changedSinceOf
