package spec

import (
	"fmt"
	"strings"
)

// bucketName follows the general purpose bucket naming rules of the Amazon S3 user guide.
var bucketName = formOf(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// Location is a folder in an object store.
type Location struct {
	Bucket string
	// Prefix has no slash in front and one at its end; the root of a bucket is "".
	Prefix string
}

// ParseLocation reads an address of the form s3://bucket/prefix/. A missing slash at the end is supplied.
func ParseLocation(address string) (Location, error) {
	rest, ok := strings.CutPrefix(address, "s3://")
	if !ok {
		return Location{}, fmt.Errorf("%q is not an S3 address: write \"s3://bucket/prefix/\"", address)
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !bucketName.MatchString(bucket) || strings.Contains(bucket, "..") {
		return Location{}, fmt.Errorf("%q does not name a bucket: bucket names are 3 to 63 lower-case letters, digits, hyphens and dots", address)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if len(prefix) > 800 {
		return Location{}, fmt.Errorf("the prefix has %d bytes; at most 800 leave room for the names of files", len(prefix))
	}
	for i, part := range strings.Split(strings.TrimSuffix(prefix, "/"), "/") {
		switch {
		case part == "" && prefix != "", part == ".", part == "..":
			return Location{}, fmt.Errorf("part %d of the prefix of %q is %q, which readers resolve differently: leave it out", i+1, address, part)
		case strings.ContainsFunc(part, func(r rune) bool { return r < 0x20 || r == 0x7f || strings.ContainsRune(`?#%*\:"<>|{}^[]`+"`", r) }):
			return Location{}, fmt.Errorf("the prefix of %q holds a character that Hadoop's readers refuse: use letters, digits, hyphens, underscores, dots and equals signs", address)
		}
	}
	return Location{Bucket: bucket, Prefix: prefix}, nil
}

// String writes the location in its normal form, with a slash at the end.
func (l Location) String() string { return "s3://" + l.Bucket + "/" + l.Prefix }

// Contains reports whether other lies inside l or is l.
func (l Location) Contains(other Location) bool {
	return l.Bucket == other.Bucket && strings.HasPrefix(other.Prefix, l.Prefix)
}

// Above lists the locations that contain l, from its bucket's root downwards, without l itself.
func (l Location) Above() []Location {
	if l.Prefix == "" {
		return nil
	}
	above := []Location{{Bucket: l.Bucket}}
	for i, r := range l.Prefix[:len(l.Prefix)-1] {
		if r == '/' {
			above = append(above, Location{Bucket: l.Bucket, Prefix: l.Prefix[:i+1]})
		}
	}
	return above
}

// normalLocation is an address in its normal form, or as it is where it is none.
func normalLocation(address string) string {
	if l, err := ParseLocation(address); err == nil {
		return l.String()
	}
	return address
}
