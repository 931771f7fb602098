"""Does to an Iceberg table in the catalogue what another engine might: foreign.py DATABASE.TABLE ACTION [ARGUMENT]...

delete FILTER, upsert KEY VALUE (a row with a long "id" and a text "name"), rollback SNAPSHOT, expire (all snapshots but the
current one), partition COLUMN (from now on by the day of a column), create LOCATION (with the columns id and name, and rows 1 and 2).
"""
import io
import os
import sys

import boto3
import pyarrow as pa
from botocore.config import Config
from pyiceberg.catalog import load_catalog
from pyiceberg.io import OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import LongType, NestedField, StringType


def endpoint(service):
    return os.environ.get("AWS_ENDPOINT_URL_" + service) or os.environ["AWS_ENDPOINT_URL"]


def row(ids, names):
    columns = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())])
    return pa.table([pa.array(ids, pa.int64()), pa.array(names, pa.string())], schema=columns)


class Upload(io.BytesIO):
    def __init__(self, output):
        super().__init__()
        self.output = output

    def close(self):
        if not self.closed:
            bucket, _, key = self.output.location[len("s3://"):].partition("/")
            self.output.size = len(self.getvalue())
            boto3.client("s3", endpoint_url=endpoint("S3"), config=Config(s3={"addressing_style": "path"})).put_object(Bucket=bucket, Key=key, Body=self.getvalue())
        super().close()


class Output(OutputFile):
    size = 0

    def __len__(self):
        return self.size

    def exists(self):
        return False

    def to_input_file(self):
        return PyArrowFileIO.new_input(self.owner, self.location)

    def create(self, overwrite=False):
        return Upload(self)


class Whole(PyArrowFileIO):
    """Uploads objects whole: what Arrow uploads in parts leaves connections that the S3 server of tests cannot read on."""

    def new_output(self, location):
        output = Output(location)
        output.owner = self
        return output


catalog = load_catalog("lake", **{
    "type": "glue", "py-io-impl": "__main__.Whole", "glue.endpoint": endpoint("GLUE"), "s3.endpoint": endpoint("S3"),
    "glue.region": os.environ["AWS_REGION"], "s3.region": os.environ["AWS_REGION"],
    "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"]})
name = tuple(sys.argv[1].split(".", 1))
action, arguments = sys.argv[2], sys.argv[3:]
if action == "create":
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()), NestedField(3, "old", StringType()))
    made = catalog.create_table(name, schema, location=arguments[0])
    made.append(pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["one", "two"], "old": ["x", "y"]}))
    sys.exit(0)
table = catalog.load_table(name)
if action == "delete":
    table.delete(arguments[0])
elif action == "upsert":
    table.delete("id = " + arguments[0])
    table.append(row([int(arguments[0])], [arguments[1]]))
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
