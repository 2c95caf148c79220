package limit

// Len returns the number of keys held.
func (l *Limiter) Len() int { return l.table.entries.Len() }

// Len returns the number of keys held.
func (d *Delay) Len() int { return d.table.entries.Len() }
