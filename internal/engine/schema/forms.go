package schema

// Formed is how the files and catalogues of a lake spell a logical type. Decimals are shown with p and s for their
// digits.
type Formed struct {
	ID ID
	// Iceberg is the type in a table's schema.
	Iceberg string
	// Parquet is the physical type of a file's column, then its annotation.
	Parquet string
	// Glue is the type in the catalogue, as Athena reads it.
	Glue string
}

// Forms are all logical types in their forms, for the documentation. The tests of the formats hold them to what is
// written.
func Forms() []Formed {
	return []Formed{
		{Boolean, "boolean", "BOOLEAN", "boolean"},
		{Int, "int", "INT32", "int"},
		{Long, "long", "INT64", "bigint"},
		{Float, "float", "FLOAT", "float"},
		{Double, "double", "DOUBLE", "double"},
		{Decimal, "decimal(p, s)", "INT32 up to 9 digits, INT64 up to 18, then FIXED_LEN_BYTE_ARRAY; DECIMAL(p,s)", "decimal(p,s)"},
		{Date, "date", "INT32, DATE", "date"},
		{Timestamp, "timestamp", "INT64, TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)", "timestamp"},
		{TimestampTZ, "timestamptz", "INT64, TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)", "timestamp"},
		{String, "string", "BYTE_ARRAY, STRING", "string"},
		{Binary, "binary", "BYTE_ARRAY", "binary"},
	}
}
