package glue

import (
	"strings"
	"testing"
	"time"
)

// TestSchedules: the due times of expressions, by value. What the weekdays of the dates are can be
// looked up in any calendar.
func TestSchedules(t *testing.T) {
	t.Parallel()
	for expression, test := range map[string]struct {
		from string
		want []string
	}{
		"cron(0/10 * * * ? *)":         {"2026-03-02 09:00", []string{"2026-03-02 09:10", "2026-03-02 09:20", "2026-03-02 09:30"}},
		"cron(1/10 * * * ? *)":         {"2026-03-02 09:55", []string{"2026-03-02 10:01", "2026-03-02 10:11"}},
		"cron(15 12 * * ? *)":          {"2026-03-02 12:15", []string{"2026-03-03 12:15", "2026-03-04 12:15"}},
		"cron(*/20 8-9 ? * MON-FRI *)": {"2026-03-06 09:39", []string{"2026-03-06 09:40", "2026-03-09 08:00"}},
		"cron(0 6,18 ? * * *)":         {"2026-03-02 07:00", []string{"2026-03-02 18:00", "2026-03-03 06:00"}},
		"cron(0 0 * * ? *)":            {"2026-12-31 00:00", []string{"2027-01-01 00:00"}},
		"cron( 5   0 1 1 ? * )":        {"2026-03-02 09:00", []string{"2027-01-01 00:05", "2028-01-01 00:05"}},

		// Day-of-week is 1-7 from Sunday: 1 is Sunday the 8th, 2 Monday, 7 Saturday.
		"cron(0 0 ? * 1 *)":       {"2026-03-02 09:00", []string{"2026-03-08 00:00", "2026-03-15 00:00"}},
		"cron(0 0 ? * SUN *)":     {"2026-03-02 09:00", []string{"2026-03-08 00:00", "2026-03-15 00:00"}},
		"cron(0 0 ? * 2 *)":       {"2026-03-02 09:00", []string{"2026-03-09 00:00"}},
		"cron(0 0 ? * 7 *)":       {"2026-03-02 09:00", []string{"2026-03-07 00:00", "2026-03-14 00:00"}},
		"cron(0 0 ? * L *)":       {"2026-03-02 09:00", []string{"2026-03-07 00:00", "2026-03-14 00:00"}},
		"cron(0 0 ? * 2-6 *)":     {"2026-03-05 09:00", []string{"2026-03-06 00:00", "2026-03-09 00:00"}},
		"cron(0 0 ? * mon,Fri *)": {"2026-03-02 09:00", []string{"2026-03-06 00:00", "2026-03-09 00:00"}},
		"cron(0 0 ? * 1/3 *)":     {"2026-03-02 09:00", []string{"2026-03-04 00:00", "2026-03-07 00:00", "2026-03-08 00:00"}},
		"cron(0 0 ? * 6L *)":      {"2026-03-02 09:00", []string{"2026-03-27 00:00", "2026-04-24 00:00"}},
		"cron(0 0 ? * FRIL *)":    {"2026-03-02 09:00", []string{"2026-03-27 00:00", "2026-04-24 00:00"}},
		"cron(0 0 ? * 3#2 *)":     {"2026-03-02 09:00", []string{"2026-03-10 00:00", "2026-04-14 00:00"}},
		"cron(0 0 ? * SUN#5 *)":   {"2026-03-02 09:00", []string{"2026-03-29 00:00", "2026-05-31 00:00"}},

		// Ends of months, leap years, working days.
		"cron(0 0 L * ? *)":          {"2026-03-02 09:00", []string{"2026-03-31 00:00", "2026-04-30 00:00", "2026-05-31 00:00"}},
		"cron(0 0 L 2 ? *)":          {"2026-03-02 09:00", []string{"2027-02-28 00:00", "2028-02-29 00:00"}},
		"cron(0 0 29 FEB ? *)":       {"2026-03-02 09:00", []string{"2028-02-29 00:00", "2032-02-29 00:00"}},
		"cron(0 0 31 * ? *)":         {"2026-03-02 09:00", []string{"2026-03-31 00:00", "2026-05-31 00:00", "2026-07-31 00:00"}},
		"cron(0 0 LW * ? *)":         {"2026-05-02 09:00", []string{"2026-05-29 00:00", "2026-06-30 00:00"}},
		"cron(0 0 15W * ? *)":        {"2026-03-02 09:00", []string{"2026-03-16 00:00", "2026-04-15 00:00"}},
		"cron(0 0 1W * ? *)":         {"2026-07-02 09:00", []string{"2026-08-03 00:00"}},
		"cron(0 0 1,15 JAN-FEB ? *)": {"2026-02-01 00:00", []string{"2026-02-15 00:00", "2027-01-01 00:00"}},

		// Years.
		"cron(0 0 1 1 ? 2030)":      {"2026-03-02 09:00", []string{"2030-01-01 00:00", ""}},
		"cron(0 0 1 1 ? 2028/2)":    {"2026-03-02 09:00", []string{"2028-01-01 00:00", "2030-01-01 00:00"}},
		"cron(0 0 1 1 ? 2020-2025)": {"2026-03-02 09:00", []string{""}},
		"cron(0 0 1 1 ? 2150)":      {"2026-03-02 09:00", []string{""}},
		"cron(0 0 30 2 ? *)":        {"2026-03-02 09:00", []string{""}},

		// Close over midnight, but never on days that follow one another.
		"cron(58,3 23,0 1 * ? *)": {"2026-03-02 09:00", []string{"2026-04-01 00:03", "2026-04-01 00:58"}},
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			s, err := parseSchedule(expression)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse("2006-01-02 15:04", test.from)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for range test.want {
				at = s.next(at)
				if at.IsZero() {
					got = append(got, "")
					break
				}
				got = append(got, at.Format("2006-01-02 15:04"))
			}
			diff(t, "due", test.want, got)
		})
	}
}

// TestSchedulesAreUTC: due times are in UTC whatever the clock's zone is.
func TestSchedulesAreUTC(t *testing.T) {
	t.Parallel()
	s, err := parseSchedule("cron(0 12 * * ? *)")
	if err != nil {
		t.Fatal(err)
	}
	east := time.FixedZone("east", 5*3600)
	got := s.next(time.Date(2026, 3, 2, 16, 0, 0, 0, east)) // 11:00 UTC
	diff(t, "due", "2026-03-02T12:00:00Z", got.Format(time.RFC3339))
}

func TestSchedulesRefused(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                          "has the form cron(",
		"banana":                    "has the form cron(",
		"cron(banana)":              "six fields, this one has 1",
		"rate(10 minutes)":          "rate expressions are not supported",
		"at(2026-01-01T00:00:00)":   "has the form cron(",
		"0 12 * * ? *":              "has the form cron(",
		"cron(0 12 * * ? *":         "has the form cron(",
		"CRON(0 12 * * ? *)":        "has the form cron(",
		"cron(0 12 * * ?)":          "six fields, this one has 5",
		"cron(0 0 12 * * ? *)":      "six fields, this one has 7",
		"cron(0 12 * * * *)":        "exactly one of Day-of-month and Day-of-week must be ?",
		"cron(0 12 1 * MON *)":      "exactly one of",
		"cron(0 12 ? * ? *)":        "exactly one of",
		"cron(? 12 * * ? *)":        "Minutes",
		"cron(60 12 * * ? *)":       `field Minutes: "60" is not from 0 to 59`,
		"cron(-1 12 * * ? *)":       "Minutes",
		"cron(+1 12 * * ? *)":       "Minutes",
		"cron(0/0 12 * * ? *)":      "no valid step",
		"cron(0/60 12 * * ? *)":     "no valid step",
		"cron(0/x 12 * * ? *)":      "no valid step",
		"cron(30-10 12 * * ? *)":    "runs backwards",
		"cron(0, 12 * * ? *)":       "Minutes",
		"cron(0 24 * * ? *)":        "Hours",
		"cron(0 noon * * ? *)":      "Hours",
		"cron(0 12 0 * ? *)":        "Day-of-month",
		"cron(0 12 32 * ? *)":       "Day-of-month",
		"cron(0 12 32W * ? *)":      "Day-of-month",
		"cron(0 12 1-3W * ? *)":     "Day-of-month",
		"cron(0 12 L-3 * ? *)":      "Day-of-month",
		"cron(0 12 * 13 ? *)":       "Month",
		"cron(0 12 * SMARCH ? *)":   "Month",
		"cron(0 12 ? * 0 *)":        `field Day-of-week: "0" is not from 1 to 7`,
		"cron(0 12 ? * 8 *)":        "Day-of-week",
		"cron(0 12 ? * 8L *)":       "Day-of-week",
		"cron(0 12 ? * FRI-MON *)":  "runs backwards",
		"cron(0 12 ? * MON#6 *)":    "from 1 to 5",
		"cron(0 12 ? * MON#0 *)":    "from 1 to 5",
		"cron(0 12 ? * MON#12 *)":   "from 1 to 5",
		"cron(0 12 ? * X#1 *)":      "Day-of-week",
		"cron(0 12 * * ? 1969)":     "Year",
		"cron(0 12 * * ? 2200)":     "Year",
		"cron(0 12 * * ? L)":        "Year",
		"cron(* * * * ? *)":         "more often than every 5 minutes",
		"cron(0/4 * * * ? *)":       "more often than every 5 minutes",
		"cron(0,3 12 * * ? *)":      "more often than every 5 minutes",
		"cron(0,58 * * * ? *)":      "more often than every 5 minutes",
		"cron(0,58 23,0 * * ? *)":   "more often than every 5 minutes",
		"cron(58,2 23,0 1,2 * ? *)": "more often than every 5 minutes",
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			_, err := parseSchedule(expression)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want an error with %q", err, want)
			}
		})
	}
}

// FuzzSchedule: no expression makes the parser or the evaluation panic, and a due time lies
// after the time it follows and on the minutes, hours, months and years that the fields name.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{
		"cron(0/10 * * * ? *)", "cron(0 0 ? * 6L *)", "cron(0 0 ? * 3#2 *)", "cron(0 0 LW * ? *)", "cron(5-50/7 1,2 15W JAN ? 2030)",
		"cron(0 0 1 1 ? 2150)", "rate(5 minutes)", "cron(0 0 31 2 ? *)", "cron(0 0 ? * L,MON#1,2L *)", "cron(, , , , , ,)",
		"cron(0 0 01 01 ? 2026)", "cron(@daily @yearly ? * * *)",
	} {
		f.Add(seed, int64(1772442000))
	}
	f.Fuzz(func(t *testing.T, expression string, seconds int64) {
		s, err := parseSchedule(expression)
		if err != nil {
			return
		}
		from := time.Unix(((seconds%4e9)+4e9)%4e9, 0).UTC()
		due := s.next(from)
		if due.IsZero() {
			return
		}
		if !due.After(from) || due.Second() != 0 {
			t.Fatalf("%s: %v after %v", expression, due, from)
		}
		parts := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(expression, "cron("), ")"))
		fields := cronFields()
		for i, value := range map[int]int{0: due.Minute(), 1: due.Hour(), 3: int(due.Month()), 5: due.Year()} {
			numbers, err := fields[i].list(parts[i])
			if err != nil {
				t.Fatalf("%s was accepted: %v", expression, err)
			}
			found := false
			for _, n := range numbers {
				found = found || n == value
			}
			if !found {
				t.Fatalf("%s: due at %v, but %d is not in field %d", expression, due, value, i)
			}
		}
	})
}
