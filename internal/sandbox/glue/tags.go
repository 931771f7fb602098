package glue

import (
	"maps"
	"strings"
)

// maxTags is the number of tags a resource may have (developer guide, "AWS tags in AWS Glue").
const maxTags = 50

type (
	tagResourceRequest struct {
		ResourceARN string `json:"ResourceArn"`
		TagsToAdd   map[string]string
	}
	untagResourceRequest struct {
		ResourceARN  string `json:"ResourceArn"`
		TagsToRemove []string
	}
	getTagsRequest struct {
		ResourceARN string `json:"ResourceArn"`
	}
	getTagsReply struct {
		Tags map[string]string
	}
)

// setTags replaces the tags of a resource; nil removes them.
func (r *region) setTags(resource string, tags map[string]string) {
	if len(tags) == 0 {
		delete(r.tags, resource)
		return
	}
	r.tags[resource] = maps.Clone(tags)
}

// hasTags reports whether the resource carries all the tags.
func (r *region) hasTags(resource string, want map[string]string) bool {
	have := r.tags[resource]
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// checkNewTags checks tags that are to be added to those that are there. Keys that begin with
// aws: are AWS's (developer guide, "AWS tags in AWS Glue"); the code is our reading.
func checkNewTags(have, added map[string]string) error {
	total := len(have)
	for _, key := range sortedKeys(added) {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalidInput("Tag key %q begins with the reserved prefix aws:", key)
		}
		if _, ok := have[key]; !ok {
			total++
		}
	}
	if total > maxTags {
		return invalidInput("A resource has at most %d tags", maxTags)
	}
	return nil
}

// resource returns the resource part of an ARN, such as "job/nightly", when it names a resource
// of the caller's account and Region that exists.
func (c *call) resource(arn string) (string, error) {
	resource, mine := strings.CutPrefix(arn, c.arn(""))
	if !mine {
		return "", notFound("%s is not in partition %s, Region %s, account %s",
			arn, c.server.opts.Partition, c.region.region, c.region.account)
	}
	kind, name, _ := strings.Cut(resource, "/")
	var exists bool
	switch kind {
	case "job":
		exists = c.region.jobs[name] != nil
	case "trigger":
		exists = c.lookupTrigger(name) != nil
	case "connection":
		exists = c.region.connections[name] != nil
	case "database":
		exists = c.region.databases[name] != nil
	default:
		return "", invalidInput("%s is not a kind of resource that can be tagged here", arn)
	}
	if !exists {
		return "", notFound("Resource not found: %s", arn)
	}
	return resource, nil
}

func (c *call) tagResource(in *tagResourceRequest) (*empty, error) {
	resource, err := c.resource(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	have := c.region.tags[resource]
	if err := checkNewTags(have, in.TagsToAdd); err != nil {
		return nil, err
	}
	merged := map[string]string{}
	maps.Copy(merged, have)
	maps.Copy(merged, in.TagsToAdd)
	c.region.setTags(resource, merged)
	return &empty{}, nil
}

// untagResource implements UntagResource; keys that are not there are no error (our reading).
func (c *call) untagResource(in *untagResourceRequest) (*empty, error) {
	resource, err := c.resource(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagsToRemove {
		delete(c.region.tags[resource], key)
	}
	return &empty{}, nil
}

func (c *call) getTags(in *getTagsRequest) (*getTagsReply, error) {
	resource, err := c.resource(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(c.region.tags[resource])
	if tags == nil {
		tags = map[string]string{}
	}
	return &getTagsReply{Tags: tags}, nil
}
