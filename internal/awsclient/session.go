package awsclient

import (
	"maps"
)

// Session is one configured provider's access to an account and Region: what Configure hands to the resources.
// It is safe for concurrent use.
type Session struct {
	*Clients
	AccountID string
	// Partition is "aws", "aws-cn", "aws-us-gov" and so on; ARNs are never made without it.
	Partition   string
	DefaultTags map[string]string
}

// ARN makes the ARN of a resource of this account and Region.
func (s *Session) ARN(service, resource string) string {
	return "arn:" + s.Partition + ":" + service + ":" + s.Region + ":" + s.AccountID + ":" + resource
}

// AllTags are a resource's own tags over the provider's default ones.
func (s *Session) AllTags(own map[string]string) map[string]string {
	all := maps.Clone(s.DefaultTags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	return all
}
