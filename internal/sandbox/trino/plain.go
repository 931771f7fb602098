package trino

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const secondsPerDay = 86400

// plain gives the plain form, which readback's read.py describes, of a value of one of Trino's types.
func plain(kind string, value any) (*string, error) {
	if value == nil {
		return nil, nil //nolint:nilnil // NULL is a value
	}
	text, err := form(kind, value)
	if err != nil {
		return nil, err
	}
	return &text, nil
}

func form(kind string, value any) (string, error) {
	base, _, _ := strings.Cut(kind, "(")
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return number(base, v.String())
	case string:
		return ofText(base, kind, v)
	default:
		return "", fmt.Errorf("the type %s has no plain form here", kind)
	}
}

// number is the form of what arrives as a number, or as the name of one that JSON has not.
func number(kind, text string) (string, error) {
	switch kind {
	case "real":
		v, err := strconv.ParseFloat(text, 32)
		bits := math.Float32bits(float32(v))
		if v != v { //nolint:gocritic // only NaN differs from itself
			bits = 0x7fc00000
		}
		return fmt.Sprintf("%08x", bits), err
	case "double":
		v, err := strconv.ParseFloat(text, 64)
		bits := math.Float64bits(v)
		if v != v { //nolint:gocritic // only NaN differs from itself
			bits = 0x7ff8000000000000
		}
		return fmt.Sprintf("%016x", bits), err
	default:
		return text, nil
	}
}

func ofText(base, kind, text string) (string, error) {
	switch base {
	case "real", "double":
		return number(base, text)
	case "varbinary":
		data, err := base64.StdEncoding.DecodeString(text)
		return hex.EncodeToString(data), err
	case "date":
		v, err := time.Parse(time.DateOnly, text)
		return strconv.FormatInt(v.Unix()/secondsPerDay, 10), err
	case "timestamp":
		text, zoned := strings.CutSuffix(text, " UTC")
		if zoned != strings.HasSuffix(kind, "with time zone") {
			return "", fmt.Errorf("a value of %s is %q", kind, text)
		}
		v, err := time.Parse("2006-01-02 15:04:05", text)
		return strconv.FormatInt(v.Unix()*1_000_000+int64(v.Nanosecond()/1000), 10), err
	default: // varchar, char, decimal
		return text, nil
	}
}
