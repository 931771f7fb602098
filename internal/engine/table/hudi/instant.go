package hudi

import (
	"fmt"
	"time"
)

// Instant names an action on the timeline: 17 digits, a time to the millisecond. Instants compare as texts do. initial is the
// base of a table without any.
type Instant string

const initial Instant = "init"

// instantLayout is the form of instants but for the milliseconds, which Go takes only behind a point.
const instantLayout = "20060102150405"

// instantOf is the instant of a time.
func instantOf(t time.Time) Instant {
	t = t.UTC()
	return Instant(t.Format(instantLayout) + fmt.Sprintf("%03d", t.Nanosecond()/int(time.Millisecond)))
}

// time is when an instant was, by the clock of who chose it; ok is false for what is none. Some of other writers have no
// milliseconds.
func (i Instant) time() (at time.Time, ok bool) {
	if len(i) != len(instantLayout) && len(i) != len(instantLayout)+3 {
		return time.Time{}, false
	}
	at, err := time.Parse(instantLayout, string(i[:len(instantLayout)]))
	if err != nil {
		return time.Time{}, false
	}
	for _, digit := range i[len(instantLayout):] {
		if digit < '0' || digit > '9' {
			return time.Time{}, false
		}
	}
	if len(i) > len(instantLayout) {
		millis := int(i[14]-'0')*100 + int(i[15]-'0')*10 + int(i[16]-'0')
		at = at.Add(time.Duration(millis) * time.Millisecond)
	}
	return at, true
}

// next is the instant of an action that begins now on a timeline whose greatest instant is last: clocks differ, and none may
// stand before another that was there.
func next(now time.Time, last Instant) Instant {
	chosen := instantOf(now)
	if at, ok := last.time(); ok && chosen <= last {
		chosen = instantOf(at.Add(time.Millisecond))
	}
	return chosen
}
