"""Reads tables with PyIceberg, for the tests: a line of JSON per table in and out.

In: {"metadata": address, "filter": text or ""}. Out: {"ids": [...], "files": files that a scan with the filter reads,
"wrong": [what is wrong with the partition of a file]}. The partition of a file is wrong where PyIceberg's own transform of a
row's value is another one than what the manifest says.
"""
import json
import sys

import pyarrow as pa
import pyarrow.parquet
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import StaticTable


def internal(column):
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_pylist()


def wrong(table, task):
    spec, schema = table.specs()[task.file.spec_id], table.schema()
    if not spec.fields:
        return
    rows = pa.parquet.read_table(task.file.file_path.removeprefix("file://"), partitioning=None)
    for i, field in enumerate(spec.fields):
        source = schema.find_field(field.source_id)
        transform = field.transform.transform(source.field_type)
        for value in internal(rows.column(source.name)):
            if transform(value) != task.file.partition[i]:
                yield "%s of %r is %r, and the manifest says %r" % (field, value, transform(value), task.file.partition[i])


for line in sys.stdin:
    asked = json.loads(line)
    table = StaticTable.from_metadata(asked["metadata"])
    scan = table.scan(row_filter=asked["filter"] or AlwaysTrue())
    tasks = list(scan.plan_files())
    found = [text for task in tasks for text in wrong(table, task)]
    ids = scan.to_arrow().column("id").to_pylist()
    print(json.dumps({"ids": sorted(ids), "files": len(tasks), "wrong": found}), flush=True)
