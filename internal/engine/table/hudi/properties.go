package hudi

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The keys of hoodie.properties that this package reads or writes (Hudi, HoodieTableConfig, 0.15.0).
const (
	propertyName         = "hoodie.table.name"
	propertyDatabase     = "hoodie.database.name"
	propertyType         = "hoodie.table.type"
	propertyVersion      = "hoodie.table.version"
	propertyLayout       = "hoodie.timeline.layout.version"
	propertyRecordKey    = "hoodie.table.recordkey.fields"
	propertyPrecombine   = "hoodie.table.precombine.field"
	propertyPartition    = "hoodie.table.partition.fields"
	propertyKeyGenerator = "hoodie.table.keygenerator.class"
	// propertyKeyKind stands in the generator's place where Hudi 1.0 wrote the properties.
	propertyKeyKind      = "hoodie.table.keygenerator.type"
	propertyHiveStyle    = "hoodie.datasource.write.hive_style_partitioning"
	propertyURLEncode    = "hoodie.datasource.write.partitionpath.urlencode"
	propertyDropColumns  = "hoodie.datasource.write.drop.partition.columns"
	propertyArchive      = "hoodie.archivelog.folder"
	propertyPayload      = "hoodie.compaction.payload.class"
	propertyTimezone     = "hoodie.table.timeline.timezone"
	propertyBaseFormat   = "hoodie.table.base.file.format"
	propertyMetaFields   = "hoodie.populate.meta.fields"
	propertyMetadata     = "hoodie.table.metadata.partitions"
	propertyMetadataNext = "hoodie.table.metadata.partitions.inflight"
	propertyChecksum     = "hoodie.table.checksum"
	// propertyID is our own: the table's identity. Spark's writers leave it as it is; CREATE TABLE of Hudi 1.0 on the table's folder
	// does not, and from then on the identity follows from the place.
	propertyID = "lakeland.table.id"
)

// maxProperties bounds hoodie.properties, in bytes: one with the schema of a wide table in it has some hundred thousand.
const maxProperties = 8 << 20

// properties are those of a table. They are read as a map, for others write them in any order.
type properties map[string]string

// parseProperties reads a Java properties text (java.util.Properties.load): logical lines that backslashes continue, keys that
// end at the first =, : or blank, escapes in both.
func parseProperties(data []byte) (properties, error) {
	if len(data) > maxProperties {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(data), maxProperties)
	}
	out := properties{}
	for line := range logicalLines(string(data)) {
		end := strings.IndexFunc(line, separates())
		if end < 0 {
			end = len(line)
		}
		value := strings.TrimLeft(line[end:], " \t\f")
		if value != "" && (value[0] == '=' || value[0] == ':') {
			value = strings.TrimLeft(value[1:], " \t\f")
		}
		key, err := unescaped(line[:end])
		if err == nil {
			value, err = unescaped(value)
		}
		if err != nil {
			return nil, fmt.Errorf("the line %q: %w", line, err)
		}
		out[key] = value
	}
	return out, nil
}

// separates tells the first character behind a key, characters given in their order.
func separates() func(rune) bool {
	escaped := false
	return func(r rune) bool {
		switch {
		case escaped:
			escaped = false
			return false
		case r == '\\':
			escaped = true
			return false
		default:
			return r == '=' || r == ':' || r == ' ' || r == '\t' || r == '\f'
		}
	}
}

// logicalLines are the lines that are neither blank nor comments, continued ones joined.
func logicalLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
		for i := 0; i < len(lines); i++ {
			line := strings.TrimLeft(lines[i], " \t\f")
			if line == "" || line[0] == '#' || line[0] == '!' {
				continue
			}
			for (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1 {
				line = line[:len(line)-1]
				if i+1 < len(lines) {
					i++
					line += strings.TrimLeft(lines[i], " \t\f")
				}
			}
			if !yield(line) {
				return
			}
		}
	}
}

func unescaped(text string) (string, error) {
	if !strings.Contains(text, `\`) {
		return text, nil
	}
	var out []uint16
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		if r != '\\' || i >= len(text) {
			out = utf16.AppendRune(out, r)
			continue
		}
		r, n = utf8.DecodeRuneInString(text[i:])
		i += n
		if r != 'u' {
			if at := strings.IndexRune("tnrf", r); at >= 0 {
				r = rune("\t\n\r\f"[at])
			}
			out = utf16.AppendRune(out, r)
			continue
		}
		if i+4 > len(text) {
			return "", fmt.Errorf(`\u is not followed by four digits`)
		}
		code, err := strconv.ParseUint(text[i:i+4], 16, 16)
		if err != nil {
			return "", fmt.Errorf(`\u is not followed by four digits: %w`, err)
		}
		out, i = append(out, uint16(code)), i+4
	}
	return string(utf16.Decode(out)), nil
}

// encode writes the properties as Java does, with the checksum of their names and without its date, keys in their order.
func (p properties) encode() []byte {
	all := properties{propertyChecksum: p.checksum()}
	for key, value := range p {
		if key != propertyChecksum {
			all[key] = value
		}
	}
	out := []byte("#Properties of a Hudi table\n")
	for _, key := range all.keys() {
		out = escape(out, key, true)
		out = escape(append(out, '='), all[key], false)
		out = append(out, '\n')
	}
	return out
}

func (p properties) keys() []string {
	keys := make([]string, 0, len(p))
	for key := range p {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// escape appends a key or value (java.util.Properties.store): what is not printable ASCII is written in UTF-16 units, for
// raw UTF-8 is read as Latin-1, and breaks the checksum.
func escape(out []byte, text string, key bool) []byte {
	for i, r := range text {
		switch {
		case r == ' ' && (key || i == 0), strings.ContainsRune(`\=:#!`, r):
			out = append(out, '\\', byte(r))
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r == '\f':
			out = append(out, `\f`...)
		case r < 0x20 || r > 0x7e:
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, `\u%04X`, unit)
			}
		default:
			out = append(out, byte(r))
		}
	}
	return out
}

// checksum is that of the table's name (Hudi, HoodieTableConfig.generateChecksum). Spark refuses a table with a wrong one.
func (p properties) checksum() string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(p[propertyDatabase]+"."+p[propertyName]))), 10)
}

// fields are the names in a property that lists columns.
func (p properties) fields(key string) []string {
	var out []string
	for name := range strings.SplitSeq(p[key], ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// is reports whether a property of true or false is true; without a value it is what Hudi takes it for.
func (p properties) is(key string, otherwise bool) bool {
	value, ok := p[key]
	if !ok || strings.TrimSpace(value) == "" {
		return otherwise
	}
	return strings.EqualFold(strings.TrimSpace(value), "true")
}
