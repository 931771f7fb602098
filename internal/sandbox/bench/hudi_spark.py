"""An upsert by Spark with Hudi: python hudi_spark.py SETTINGS TABLE create FILES | upsert CHANGES.

create makes the table of the Parquet files in a folder. SETTINGS are Spark's, as JSON. The table is as the engine makes its own:
not partitioned, without a metadata table; rows are found by the bloom filters of files, as is Hudi's default. The process ends
when its Java has, so that what both have used is counted.
"""
import json
import sys

from pyspark.sql import SparkSession

settings, table, command, folder = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
builder = SparkSession.builder
for name, value in settings.items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
session.sparkContext.setLogLevel("ERROR")
rows = session.read.parquet(folder)
options = {
    "hoodie.table.name": "trips", "hoodie.datasource.write.recordkey.field": "pk_id", "hoodie.datasource.write.precombine.field": "pk_id",
    "hoodie.datasource.write.keygenerator.class": "org.apache.hudi.keygen.NonpartitionedKeyGenerator", "hoodie.metadata.enable": "false",
    "hoodie.parquet.compression.codec": "zstd", "hoodie.upsert.shuffle.parallelism": "16", "hoodie.bulkinsert.shuffle.parallelism": "16",
    "hoodie.datasource.write.operation": "bulk_insert" if command == "create" else "upsert",
}
if command == "create":
    # Files hold keys in ranges, as the engine's do, of about the engine's size.
    rows = rows.repartitionByRange(29, "pk_id").sortWithinPartitions("pk_id")
    options["hoodie.bulkinsert.sort.mode"] = "NONE"
    options["hoodie.bulkinsert.shuffle.parallelism"] = "29"
rows.write.format("hudi").options(**options).mode("overwrite" if command == "create" else "append").save(table)
java = session.sparkContext._gateway.proc
session.stop()
java.stdin.close()
java.wait()
