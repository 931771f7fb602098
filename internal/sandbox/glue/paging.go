package glue

import (
	"encoding/base64"
	"fmt"
	"math"
	"sort"
	"strings"
)

// tokenPrefix comes before the key in a token: an empty token would mean the first page.
const tokenPrefix = "after "

// fallingKey returns a key for page that rises as n, which is not negative, falls.
func fallingKey(n int64) string { return fmt.Sprintf("%019d", math.MaxInt64-n) }

// page cuts one page out of items, which must be sorted by key, ascending and without
// duplicates. A page starts after the key that the token carries, so paging survives items that
// come and go between calls: none that stays is skipped or repeated. The token is nil on the last
// page. limit is Options.PageSize, or MaxResults where that is smaller.
func page[T any](c *call, items []T, key func(T) string, token *string, maxResults *int32) ([]T, *string, error) {
	start := 0
	if token != nil && *token != "" {
		decoded, err := base64.RawURLEncoding.DecodeString(*token)
		last, ours := strings.CutPrefix(string(decoded), tokenPrefix)
		if err != nil || !ours {
			return nil, nil, invalidInput("Invalid continuation token: %s", clip(*token))
		}
		start = sort.Search(len(items), func(i int) bool { return key(items[i]) > last })
	}
	limit := c.server.opts.PageSize
	if maxResults != nil && int(*maxResults) < limit {
		limit = int(*maxResults)
	}
	end := min(start+limit, len(items))
	if end == len(items) {
		return items[start:], nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + key(items[end-1])))
	return items[start:end], &next, nil
}
