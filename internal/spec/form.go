package spec

import (
	"regexp"
	"sync"
)

// form is a regular expression that is compiled when it is first needed: most processes that know documents judge few of them,
// and there are many forms.
type form struct{ compiled func() *regexp.Regexp }

func formOf(text string) form {
	return form{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// MatchString reports whether a text has the form.
func (f form) MatchString(text string) bool { return f.compiled().MatchString(text) }

// FindStringSubmatch is the text and its parts; nil where it has another form.
func (f form) FindStringSubmatch(text string) []string { return f.compiled().FindStringSubmatch(text) }
