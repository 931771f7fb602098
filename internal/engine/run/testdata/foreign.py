"""Does to an Iceberg table in the catalogue what another engine might: foreign.py DATABASE.TABLE ACTION [ARGUMENT]...

delete FILTER, upsert KEY VALUE (a row with a long "id" and a text "name"), rollback SNAPSHOT, expire (all snapshots but the
current one), partition COLUMN (from now on by the day of a column), create LOCATION (with the columns id and name, and rows 1 and 2).
"""
import os
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import LongType, NestedField, StringType


def endpoint(service):
    return os.environ.get("AWS_ENDPOINT_URL_" + service) or os.environ["AWS_ENDPOINT_URL"]


def row(ids, names):
    columns = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())])
    return pa.table([pa.array(ids, pa.int64()), pa.array(names, pa.string())], schema=columns)


def append(table, rows):
    for left in (2, 1, 0):
        try:
            return table.append(rows)
        except OSError as refused:  # Arrow's uploads in parts fail now and then at the S3 server of tests; nothing is committed then
            if not left or "CompleteMultipartUpload" not in str(refused):
                raise


catalog = load_catalog("lake", **{
    "type": "glue", "glue.endpoint": endpoint("GLUE"), "s3.endpoint": endpoint("S3"),
    "glue.region": os.environ["AWS_REGION"], "s3.region": os.environ["AWS_REGION"],
    "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"]})
name = tuple(sys.argv[1].split(".", 1))
action, arguments = sys.argv[2], sys.argv[3:]
if action == "create":
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()), NestedField(3, "old", StringType()))
    made = catalog.create_table(name, schema, location=arguments[0])
    append(made, pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["one", "two"], "old": ["x", "y"]}))
    sys.exit(0)
table = catalog.load_table(name)
if action == "delete":
    table.delete(arguments[0])
elif action == "upsert":
    table.delete("id = " + arguments[0])
    append(table, row([int(arguments[0])], [arguments[1]]))
elif action == "rollback":
    with table.manage_snapshots() as snapshots:
        snapshots.rollback_to_snapshot(int(arguments[0]))
elif action == "expire":
    current = table.current_snapshot().snapshot_id
    with table.maintenance.expire_snapshots() as expire:
        expire.by_ids([s.snapshot_id for s in table.snapshots() if s.snapshot_id != current])
elif action == "partition":
    with table.update_spec() as spec:
        spec.add_field(arguments[0], DayTransform(), arguments[0] + "_day")
else:
    sys.exit("no such action: " + action)
