package glue

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

const (
	// minScheduleGap: "Cron expressions that lead to rates faster than 5 minutes aren't
	// supported" (developer guide, "Time-based schedules for jobs and crawlers").
	minScheduleGap = 5 // minutes
	minutesPerDay  = 24 * 60

	// lastCronYear is the last year that package cronexpr evaluates. Glue's go to 2199; times
	// after lastCronYear never come.
	lastCronYear = 2099
)

// schedule is a parsed cron expression. It is not safe for concurrent use: evaluation keeps
// state inside the expression.
type schedule struct {
	expression *cronexpr.Expression // nil: never due
}

// cronField describes one of the six fields (developer guide, "Time-based schedules for jobs
// and crawlers", table of fields).
type cronField struct {
	name     string
	min, max int
	names    []string // of min, min+1, ...; nil where only numbers are allowed
}

func cronFields() [6]cronField {
	return [6]cronField{
		{name: "Minutes", min: 0, max: 59},
		{name: "Hours", min: 0, max: 23},
		{name: "Day-of-month", min: 1, max: 31},
		{name: "Month", min: 1, max: 12, names: []string{
			"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{name: "Day-of-week", min: 1, max: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
		{name: "Year", min: 1970, max: 2199},
	}
}

// parseSchedule reads a Glue schedule: cron(Minutes Hours Day-of-month Month Day-of-week Year), in
// UTC. rate(...) is EventBridge's and refused. The wildcards , - * ? / L W are Glue's; #, for
// the n-th weekday of a month, is EventBridge's and accepted too (our reading). Ranges that run
// backwards, such as FRI-MON, are refused (our reading).
func parseSchedule(text string) (*schedule, error) {
	if strings.HasPrefix(text, "rate(") {
		return nil, errors.New("rate expressions are not supported, use cron(Minutes Hours Day-of-month Month Day-of-week Year)")
	}
	inner, isCron := strings.CutPrefix(text, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !isCron || !closed {
		return nil, errors.New("a schedule has the form cron(Minutes Hours Day-of-month Month Day-of-week Year)")
	}
	parts := strings.Fields(inner)
	fields := cronFields()
	if len(parts) != len(fields) {
		return nil, fmt.Errorf("a cron expression has six fields, this one has %d", len(parts))
	}
	// "If you specify a value in one of the fields, you must use a ? (question mark) in the
	// other" (developer guide, as above).
	if (parts[2] == "?") == (parts[4] == "?") {
		return nil, errors.New("exactly one of Day-of-month and Day-of-week must be ?")
	}
	minutes, err := fields[0].list(parts[0])
	if err != nil {
		return nil, err
	}
	hours, err := fields[1].list(parts[1])
	if err != nil {
		return nil, err
	}
	days, err := translateDays(fields, parts)
	if err != nil {
		return nil, err
	}
	if err := checkGap(minutes, hours, days); err != nil {
		return nil, err
	}
	if days == "" {
		return &schedule{}, nil
	}
	expression, err := cronexpr.Parse("0 " + joinInts(minutes) + " " + joinInts(hours) + " " + days)
	if err != nil {
		return nil, fmt.Errorf("translated cron expression: %w", err)
	}
	return &schedule{expression: expression}, nil
}

// next returns the first due time after t, in UTC, or the zero time when there is none.
func (s *schedule) next(t time.Time) time.Time {
	if s.expression == nil {
		return time.Time{}
	}
	return s.expression.Next(t.UTC())
}

// translateDays gives the last four fields in cronexpr's terms: day of month, month, day of
// week, year. It returns "" when no year is left that cronexpr can evaluate.
func translateDays(fields [6]cronField, parts []string) (string, error) {
	dayOfMonth, err := fields[2].translate(parts[2], dayOfMonthItem)
	if err != nil {
		return "", err
	}
	months, err := fields[3].list(parts[3])
	if err != nil {
		return "", err
	}
	dayOfWeek, err := fields[4].translate(parts[4], dayOfWeekItem)
	if err != nil {
		return "", err
	}
	years, err := fields[5].list(parts[5])
	if err != nil {
		return "", err
	}
	years = slices.DeleteFunc(years, func(y int) bool { return y > lastCronYear })
	if len(years) == 0 {
		return "", nil
	}
	return dayOfMonth + " " + joinInts(months) + " " + dayOfWeek + " " + joinInts(years), nil
}

// list expands a field into the sorted numbers it stands for.
func (f cronField) list(text string) ([]int, error) {
	var all []int
	for item := range strings.SplitSeq(text, ",") {
		numbers, err := f.expand(item)
		if err != nil {
			return nil, err
		}
		all = append(all, numbers...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// expand reads one item: *, n, n-m, and each of them with /step.
func (f cronField) expand(item string) ([]int, error) {
	span, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(stepText)
		if err != nil || n < 1 || n > f.max {
			return nil, f.errorf("%q has no valid step", item)
		}
		step = n
	}
	from, to := f.min, f.max
	if span != "*" {
		first, last, ranged := strings.Cut(span, "-")
		var err error
		if from, err = f.number(first); err != nil {
			return nil, err
		}
		switch {
		case ranged:
			if to, err = f.number(last); err != nil {
				return nil, err
			}
		case !stepped:
			to = from
		}
	}
	if from > to {
		return nil, f.errorf("the range %q runs backwards", item)
	}
	var numbers []int
	for n := from; n <= to; n += step {
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// number reads a number or a name.
func (f cronField) number(text string) (int, error) {
	if i := slices.Index(f.names, strings.ToUpper(text)); i >= 0 {
		return f.min + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max || text[0] == '+' || text[0] == '-' {
		return 0, f.errorf("%q is not from %d to %d", text, f.min, f.max)
	}
	return n, nil
}

func (f cronField) errorf(format string, args ...any) error {
	return fmt.Errorf("field "+f.name+": "+format, args...)
}

// translate turns a day field into cronexpr's terms; special reads items with a wildcard of
// their own and reports whether it knew the item.
func (f cronField) translate(text string, special func(f cronField, item string) (string, bool, error)) (string, error) {
	if text == "?" || text == "*" {
		return text, nil
	}
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		translated, known, err := special(f, strings.ToUpper(item))
		if err != nil {
			return "", err
		}
		if known {
			items = append(items, translated)
			continue
		}
		numbers, err := f.expand(item)
		if err != nil {
			return "", err
		}
		for _, n := range numbers {
			items = append(items, f.term(n))
		}
	}
	return strings.Join(items, ","), nil
}

// term writes a day for cronexpr. Weekdays are written as names: Glue counts SUN-SAT as 1-7,
// cronexpr as 0-6.
func (f cronField) term(n int) string {
	if f.names != nil {
		return f.names[n-f.min]
	}
	return strconv.Itoa(n)
}

// dayOfMonthItem reads L, LW and nW.
func dayOfMonthItem(f cronField, item string) (string, bool, error) {
	if item == "L" || item == "LW" {
		return item, true, nil
	}
	day, found := strings.CutSuffix(item, "W")
	if !found {
		return "", false, nil
	}
	n, err := f.number(day)
	return strconv.Itoa(n) + "W", true, err
}

// dayOfWeekItem reads L (the last day of the week, Saturday), nL (the last such day of the
// month) and n#m (the m-th such day of the month).
func dayOfWeekItem(f cronField, item string) (string, bool, error) {
	if item == "L" {
		return f.term(f.max), true, nil
	}
	if day, found := strings.CutSuffix(item, "L"); found {
		n, err := f.number(day)
		if err != nil {
			return "", true, err
		}
		return f.term(n) + "L", true, nil
	}
	day, occurrence, found := strings.Cut(item, "#")
	if !found {
		return "", false, nil
	}
	n, err := f.number(day)
	if err != nil {
		return "", true, err
	}
	if len(occurrence) != 1 || occurrence < "1" || occurrence > "5" {
		return "", true, f.errorf("%q: after # comes a number from 1 to 5", item)
	}
	return f.term(n) + "#" + occurrence, true, nil
}

// checkGap refuses schedules that are due twice within less than minScheduleGap. days is
// cronexpr's form of the day fields, "" when no day is ever due.
func checkGap(minutes, hours []int, days string) error {
	tooFast := fmt.Errorf("a schedule may not be due more often than every %d minutes", minScheduleGap)
	var ofDay []int
	for _, h := range hours {
		for _, m := range minutes {
			ofDay = append(ofDay, h*60+m)
		}
	}
	for i := 1; i < len(ofDay); i++ {
		if ofDay[i]-ofDay[i-1] < minScheduleGap {
			return tooFast
		}
	}
	overMidnight := ofDay[0] + minutesPerDay - ofDay[len(ofDay)-1]
	if overMidnight >= minScheduleGap || days == "" {
		return nil
	}
	midnights, err := cronexpr.Parse("0 0 0 " + days)
	if err != nil {
		return fmt.Errorf("translated cron expression: %w", err)
	}
	// Two years of due days show whether any two follow one another.
	const lookAhead = 2 * 366
	day := midnights.Next(time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC))
	for range lookAhead {
		following := midnights.Next(day)
		if day.IsZero() || following.IsZero() {
			return nil
		}
		if following.Sub(day) == 24*time.Hour {
			return tooFast
		}
		day = following
	}
	return nil
}

func joinInts(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}
