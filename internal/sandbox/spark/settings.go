package spark

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// settings are the session's, with those of what is among its jars.
func (s *Session) settings(options Options) map[string]string {
	folder := s.scratch.Path()
	out := map[string]string{
		"spark.master": "local[2]", "spark.driver.memory": Memory, "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
		"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
		"spark.driver.extraClassPath":   strings.Join(options.Installation.Jars, string(os.PathListSeparator)),
		"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:ActiveProcessorCount=2 -XX:-UsePerfData -XX:TieredStopAtLevel=1 -Duser.timezone=UTC -Djava.io.tmpdir=" + folder,
		"spark.local.dir":               filepath.Join(folder, "local"), "spark.sql.warehouse.dir": filepath.Join(folder, "warehouse"),
		"spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC", "spark.sql.adaptive.enabled": "false",
	}
	if options.Installation.Hudi == "" {
		maps.Copy(out, iceberg(options))
	} else {
		maps.Copy(out, hudi(options))
	}
	return out
}

func iceberg(options Options) map[string]string {
	return map[string]string{
		"spark.sql.extensions":                        "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
		"spark.sql.catalog.lake":                      "org.apache.iceberg.spark.SparkCatalog",
		"spark.sql.catalog.lake.catalog-impl":         "org.apache.iceberg.aws.glue.GlueCatalog",
		"spark.sql.catalog.lake.io-impl":              "org.apache.iceberg.aws.s3.S3FileIO",
		"spark.sql.catalog.lake.cache-enabled":        "false", // others change the tables too
		"spark.sql.catalog.lake.warehouse":            "s3://not-used",
		"spark.sql.catalog.lake.client.region":        options.Region,
		"spark.sql.catalog.lake.glue.endpoint":        options.Glue,
		"spark.sql.catalog.lake.s3.endpoint":          options.S3,
		"spark.sql.catalog.lake.s3.path-style-access": "true",
	}
}

// hudi has s3:// mean what s3a:// does, as it does on AWS. The sandbox's S3 keeps objects as files and refuses to delete the
// object of a folder that holds others, which S3 does not mind: so these stay.
func hudi(options Options) map[string]string {
	const s3a = "org.apache.hadoop.fs.s3a.S3AFileSystem"
	return map[string]string{
		"spark.sql.extensions":                           "org.apache.spark.sql.hudi.HoodieSparkSessionExtension",
		"spark.sql.catalog.spark_catalog":                "org.apache.spark.sql.hudi.catalog.HoodieCatalog",
		"spark.serializer":                               "org.apache.spark.serializer.KryoSerializer",
		"spark.kryo.registrator":                         "org.apache.spark.HoodieSparkKryoRegistrar",
		"spark.hadoop.fs.s3.impl":                        s3a,
		"spark.hadoop.fs.s3a.impl":                       s3a,
		"spark.hadoop.fs.s3a.endpoint":                   options.S3,
		"spark.hadoop.fs.s3a.endpoint.region":            options.Region,
		"spark.hadoop.fs.s3a.access.key":                 options.AccessKey,
		"spark.hadoop.fs.s3a.secret.key":                 options.SecretKey,
		"spark.hadoop.fs.s3a.aws.credentials.provider":   "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
		"spark.hadoop.fs.s3a.directory.marker.retention": "keep",
		"spark.hadoop.fs.s3a.path.style.access":          "true",
	}
}
