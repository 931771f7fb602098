package spec

import (
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

// MinInterval is the shortest time between two firings that a Glue trigger accepts (AWS Glue developer guide,
// "Time-based schedules for jobs and crawlers").
const MinInterval = 5 * time.Minute

var rateForm = formOf(`^rate\(([0-9]{1,6}) (minutes?|hours?|days?)\)$`)

// cronFields are the six fields of an AWS schedule with the grammar of one item of each, and that grammar in words.
var cronFields = []struct {
	name   string
	item   form
	values string
}{
	{"minutes", item(`[0-5]?[0-9]`, ``), "0 to 59"},
	{"hours", item(`(?:[01]?[0-9]|2[0-3])`, ``), "0 to 23"},
	{"day of month", item(dayOfMonth, `|L|LW|`+dayOfMonth+`W`), "1 to 31, L, LW, 15W or ?"},
	{"month", item(`(?:0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)`, ``), "1 to 12 or JAN to DEC"},
	{"day of week", item(`(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)`, `|L|(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5])`), "1 to 7 from Sunday, SUN to SAT, L, 6L, 2#1 or ?"},
	{"year", item(`(?:19[7-9][0-9]|20[0-9]{2}|21[0-9]{2})`, ``), "1970 to 2199"},
}

const dayOfMonth = `(?:0?[1-9]|[12][0-9]|3[01])`

func item(value, special string) form {
	return formOf(`^(?:(?:\*|` + value + `(?:-` + value + `)?)(?:/[0-9]{1,4})?` + special + `)$`)
}

// Schedule is a normalised schedule: "cron(minutes hours day-of-month month day-of-week year)" in UTC.
type Schedule struct {
	text string
	expr *cronexpr.Expression
}

// ParseSchedule reads "cron(...)" as AWS Glue does, or turns "rate(n unit)" into it. The minute (and the hour
// of a daily one) of a rate derives from name, so that cadences of equal rate do not fire together; a rate that
// does not divide the hour or the day has no cron form and is refused.
func ParseSchedule(text, name string) (Schedule, error) {
	if parts := rateForm.FindStringSubmatch(text); parts != nil {
		unit := strings.TrimSuffix(parts[2], "s")
		if right := unitOf(parts[1], unit); right != parts[2] {
			return Schedule{}, fmt.Errorf("%q: AWS wants the unit to agree with the number: write \"rate(%s %s)\"", text, parts[1], right)
		}
		cron, err := cronOfRate(parts[1], unit, name)
		if err != nil {
			return Schedule{}, fmt.Errorf("%q: %w", text, err)
		}
		text = cron
	}
	inner, opened := strings.CutPrefix(text, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !opened || !closed {
		return Schedule{}, fmt.Errorf("%q is not a schedule: write \"cron(0/10 * * * ? *)\" (UTC) or \"rate(10 minutes)\"", text)
	}
	fields := strings.Fields(strings.ToUpper(inner))
	if len(fields) != len(cronFields) {
		return Schedule{}, fmt.Errorf("%q has %d fields; AWS wants six: minutes hours day-of-month month day-of-week year, such as \"cron(0/10 * * * ? *)\"", text, len(fields))
	}
	if err := checkFieldForms(fields); err != nil {
		return Schedule{}, fmt.Errorf("%q: %w", text, err)
	}
	expr, err := cronexpr.Parse(portable(fields))
	if err != nil {
		return Schedule{}, fmt.Errorf("%q: %w", text, err)
	}
	s := Schedule{text: "cron(" + strings.Join(fields, " ") + ")", expr: expr}
	return s, s.checkInterval()
}

// unitOf is a unit in the number that AWS wants beside a value.
func unitOf(number, unit string) string {
	if number == "1" {
		return unit
	}
	return unit + "s"
}

func cronOfRate(number, unit, name string) (string, error) {
	n, err := strconv.Atoi(number)
	if err != nil || n == 0 {
		return "", errors.New("write a whole number of minutes, hours or days")
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	spread := int(h.Sum32() % (24 * 60))
	minutes := n * map[string]int{"minute": 1, "hour": 60, "day": 24 * 60}[unit]
	switch {
	case minutes < int(MinInterval.Minutes()):
		return "", errors.New("a Glue trigger fires at most every 5 minutes: write \"rate(5 minutes)\" or more")
	case minutes < 60 && 60%minutes == 0:
		return fmt.Sprintf("cron(%d/%d * * * ? *)", spread%minutes, minutes), nil
	case minutes == 60:
		return fmt.Sprintf("cron(%d * * * ? *)", spread%60), nil
	case minutes < 24*60 && (24*60)%minutes == 0 && minutes%60 == 0:
		return fmt.Sprintf("cron(%d %d/%d * * ? *)", spread%60, spread/60%(minutes/60), minutes/60), nil
	case minutes == 24*60:
		return fmt.Sprintf("cron(%d %d * * ? *)", spread%60, spread/60), nil
	default:
		return "", errors.New("the rate does not divide the hour or the day evenly, so no cron expression means it: " +
			"write 5, 6, 10, 12, 15, 20 or 30 minutes, 1, 2, 3, 4, 6, 8 or 12 hours, 1 day, or a cron(...) of your own")
	}
}

func checkFieldForms(fields []string) error {
	for i, field := range fields {
		for part := range strings.SplitSeq(field, ",") {
			question := part == "?" && field == "?" && (i == 2 || i == 4)
			if !question && !cronFields[i].item.MatchString(part) {
				return fmt.Errorf("%q cannot stand in the field %q: write %s, alone, as 1-5, as 0/10, or several with commas", part, cronFields[i].name, cronFields[i].values)
			}
		}
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return fmt.Errorf("exactly one of day of month and day of week must be \"?\", and they are %q and %q: write \"?\" for the one that does not matter", fields[2], fields[4])
	}
	return nil
}

// portable turns AWS's days of the week (1-7 from Sunday) into names, and "x/n", which AWS reads as "from x in
// steps of n", into a range for the parser.
func portable(fields []string) string {
	days := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	out := make([]string, len(fields))
	copy(out, fields)
	out[4] = regexp.MustCompile(`(^|[,-])([1-7])`).ReplaceAllStringFunc(out[4], func(m string) string {
		digit := m[len(m)-1]
		return m[:len(m)-1] + days[digit-'1']
	})
	if out[4] == "L" {
		out[4] = "SAT"
	}
	last := []string{"59", "23", "31", "12", "SAT", "2099"}
	for i := range out {
		parts := strings.Split(out[i], ",")
		for j, part := range parts {
			if from, step, ok := strings.Cut(part, "/"); ok && from != "*" && !strings.Contains(from, "-") {
				parts[j] = from + "-" + last[i] + "/" + step
			}
		}
		out[i] = strings.Join(parts, ",")
	}
	return strings.Join(out, " ")
}

// checkInterval looks at some days of firings, which holds every pattern of minutes and hours.
func (s Schedule) checkInterval() error {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	fires := s.expr.NextN(start.Add(-time.Second), 600)
	if len(fires) == 0 {
		return fmt.Errorf("%q never fires: write a day that comes, such as \"cron(0 3 * * ? *)\", or leave the schedule out to run on demand only", s.text)
	}
	for i := 1; i < len(fires); i++ {
		if fires[i].Sub(fires[i-1]) < MinInterval {
			return fmt.Errorf("%q fires at %s and again at %s; a Glue trigger wants at least 5 minutes between two firings: write \"cron(0/5 * * * ? *)\" or less often",
				s.text, fires[i-1].Format("15:04"), fires[i].Format("15:04"))
		}
	}
	return nil
}

// String is the schedule as a Glue trigger takes it.
func (s Schedule) String() string { return s.text }

// Next is the first firing after t, in UTC, or the zero time when there is none.
func (s Schedule) Next(t time.Time) time.Time { return s.expr.Next(t.UTC()) }
