package lifecycle

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
)

// TagsAll is the value of tags_all: the resource's own tags over the provider's default ones, unknown where one
// of either is not known yet.
func TagsAll(session *awsclient.Session, plan Tree, unknown Unknown) attr.Value {
	if session == nil || unknown.Any("tags") {
		return types.MapUnknown(types.StringType)
	}
	return StringMap(session.AllTags(plan.Strings("tags")))
}

// StringMap is a map of strings as an attribute's value.
func StringMap(m map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(m))
	for key, value := range m {
		elements[key] = types.StringValue(value)
	}
	return types.MapValueMust(types.StringType, elements)
}

// Known is a known string, or an unknown one.
func Known(value string, known bool) attr.Value {
	if known {
		return types.StringValue(value)
	}
	return types.StringUnknown()
}
