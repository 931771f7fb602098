package spec

import (
	"fmt"
	"regexp"
)

// arnForm takes any partition (aws, aws-cn, aws-us-gov, aws-iso...), so that ARNs are never tied to one.
var arnForm = formOf(`^arn:(aws[a-z0-9-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}|):(.+)$`)

// checkARN adds a problem when a text is not the ARN of a resource of the service. Resource is an expression
// for the part after the account.
func checkARN(ps *Problems, at Path, text, service, resource, example string) {
	parts := arnForm.FindStringSubmatch(text)
	if parts == nil || parts[2] != service || !regexp.MustCompile("^(?:"+resource+")$").MatchString(parts[5]) {
		ps.add(at, "%q is not the ARN that belongs here: it has the form %q", text, fmt.Sprintf("arn:aws:%s:%s", service, example))
	}
}
