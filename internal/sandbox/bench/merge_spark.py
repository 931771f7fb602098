"""A merge by Spark with Iceberg, in a Hadoop catalogue: python merge_spark.py SETTINGS create FILES | merge KEY CHANGES.

create makes the table of the Parquet files in a folder, which become its data files. SETTINGS are Spark's, as JSON. The
process ends when its Java has, so that what both have used is counted.
"""
import json
import sys

from pyspark.sql import SparkSession

settings, command, arguments = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3:]
builder = SparkSession.builder
for name, value in settings.items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
session.sparkContext.setLogLevel("ERROR")
if command == "create":
    (files,) = arguments
    session.read.parquet(files).limit(0).writeTo("lake.bench.trips").using("iceberg").create()
    session.sql(f"CALL lake.system.add_files(table => 'bench.trips', source_table => '`parquet`.`{files}`')")
else:
    key, changes = arguments
    session.read.parquet(changes).createOrReplaceTempView("changes")
    session.sql(f"MERGE INTO lake.bench.trips t USING changes c ON t.{key} = c.{key} WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
java = session.sparkContext._gateway.proc
session.stop()
java.stdin.close()
java.wait()
