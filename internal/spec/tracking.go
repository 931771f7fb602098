package spec

var regionName = formOf(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)

// Tracking describes the DynamoDB tables of one tracking. It is not stored as a document: the tables
// themselves are what it says.
type Tracking struct {
	Name               string
	ReplicaRegions     []string
	DeletionProtection bool
	KMSKeyARN          string
}

// Validate returns everything wrong with the description.
func (t *Tracking) Validate() Problems {
	var ps Problems
	if wrong := CheckTrackingName(t.Name); wrong != "" {
		ps.add(At("name"), "%s", wrong)
	}
	for i, region := range t.ReplicaRegions {
		if !regionName.MatchString(region) {
			ps.add(At("replica_regions", i), "%q is not a Region: write \"eu-central-1\"", region)
		}
	}
	if duplicate := firstDuplicate(t.ReplicaRegions); duplicate != "" {
		ps.add(At("replica_regions"), "%q stands twice", duplicate)
	}
	checkKMSKey(&ps, At("kms_key_arn"), t.KMSKeyARN)
	return ps
}
