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
	// Avro is the type in the schema of a table of Hudi, and Hudi is Parquet in its files.
	Avro, Hudi string
}

// Forms are all logical types in their forms, for the documentation. The tests of the formats hold them to what is
// written.
func Forms() []Formed {
	return []Formed{
		{Boolean, "boolean", "BOOLEAN", "boolean", "boolean", "BOOLEAN"},
		{Int, "int", "INT32", "int", "int", "INT32"},
		{Long, "long", "INT64", "bigint", "long", "INT64"},
		{Float, "float", "FLOAT", "float", "float", "FLOAT"},
		{Double, "double", "DOUBLE", "double", "double", "DOUBLE"},
		{Decimal, "decimal(p, s)", "INT32 up to 9 digits, INT64 up to 18, then FIXED_LEN_BYTE_ARRAY; DECIMAL(p,s)", "decimal(p,s)", "fixed, decimal", "FIXED_LEN_BYTE_ARRAY, DECIMAL(p,s)"},
		{Date, "date", "INT32, DATE", "date", "int, date", "INT32, DATE"},
		{Timestamp, "timestamp", "INT64, TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)", "timestamp", "long, timestamp-micros", "INT64, TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)"},
		{TimestampTZ, "timestamptz", "INT64, TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)", "timestamp", "long, timestamp-micros", "INT64, TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)"},
		{String, "string", "BYTE_ARRAY, STRING", "string", "string", "BYTE_ARRAY, STRING"},
		{Binary, "binary", "BYTE_ARRAY", "binary", "bytes", "BYTE_ARRAY"},
	}
}
