"""Reads tables with engines that are not Lakeland's and prints every value in one plain form.

It imports the engines once and prints the port of 127.0.0.1 on which it waits; it ends with its standard input. Each connection
is answered by a process of its own, forked: it sends a line of JSON, {"environment": {...}, "arguments": [...]}, and gets the
tables and, as its last line, {"done": true} or {"error": text}.

Arguments: pyiceberg rows|count DATABASE.TABLE... | pyiceberg query 'DATABASE.TABLE SQL' |
files-duckdb rows DATABASE.TABLE... | iceberg-duckdb rows METADATA... | duckdb rows FILE... | pyarrow rows FILE... |
duckdb query SQL... | hudi-rs rows ADDRESS... | hudi-duckdb rows ADDRESS...
Prints a line of JSON per table: {"columns": [[name, type], ...], "count": n, "rows": [[value, ...], ...]}.

The plain form of a value is null or text: integers in decimal, booleans as true and false, dates as days and
timestamps as microseconds since 1970, floating point numbers as the hexadecimal digits of their bytes, decimals
at their scale, binary as hexadecimal digits.
"""
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback

import pyarrow as pa


def plain(column):
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(column.cast(kind.value_type))
    if pa.types.is_boolean(kind):
        return [None if v is None else ("true" if v else "false") for v in column.to_pylist()]
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        if kind.unit != "us":
            raise SystemExit("timestamps in %s" % kind.unit)
        column = column.cast(pa.int64())
    values = column.to_pylist()
    if pa.types.is_float64(kind):
        return [None if v is None else struct.pack(">d", v).hex() for v in values]
    if pa.types.is_float32(kind):
        return [None if v is None else struct.pack(">f", v).hex() for v in values]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return [None if v is None else v.hex() for v in values]
    if pa.types.is_decimal(kind):
        return [None if v is None else format(v, "f") for v in values]
    return [None if v is None else str(v) for v in values]


def show(table, rows, columns=None):
    out = {"count": table.num_rows, "columns": columns or [[f.name, str(f.type)] for f in table.schema]}
    if rows:
        out["rows"] = [list(row) for row in zip(*[plain(table.column(i).combine_chunks()) for i in range(table.num_columns)])]
    print(json.dumps(out), flush=True)


def endpoint(service):
    return os.environ.get("AWS_ENDPOINT_URL_" + service) or os.environ["AWS_ENDPOINT_URL"]


def iceberg_duckdb(addresses):
    import duckdb

    db = duckdb.connect(config={"extension_directory": "/nonexistent", "autoinstall_known_extensions": "false"})
    for name in ("avro", "httpfs", "iceberg"):
        folder = os.path.dirname(__import__("duckdb_extension_" + name).__file__)
        db.execute("LOAD '%s/extensions/v%s/%s.duckdb_extension'" % (folder, duckdb.__version__, name))
    scheme, _, host = endpoint("S3").partition("://")
    db.execute("CREATE SECRET (TYPE s3, KEY_ID ?, SECRET ?, REGION ?, ENDPOINT ?, URL_STYLE 'path', USE_SSL %s)" % ("true" if scheme == "https" else "false"),
               [os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_REGION"], host])
    db.execute("SET timezone='UTC'; SET threads=2")
    for address in addresses:
        show(db.execute("SELECT * FROM iceberg_scan(?)", [address]).to_arrow_table(), True)


def lake():
    from pyiceberg.catalog import load_catalog

    return load_catalog("lake", **{
        "type": "glue", "glue.endpoint": endpoint("GLUE"), "s3.endpoint": endpoint("S3"),
        "glue.region": os.environ["AWS_REGION"], "s3.region": os.environ["AWS_REGION"],
        "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"]})


# What DuckDB calls Iceberg's types; decimals have one name in both.
TYPES = {"int": "integer", "long": "bigint", "float": "float", "double": "double", "string": "varchar", "binary": "blob", "boolean": "boolean",
         "date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz"}


def files_duckdb(names):
    """Reads the files that a table's metadata names, columns by their field ids and without rows that are deleted by position."""
    import tempfile

    import duckdb

    catalog = lake()
    for name in names:
        table = catalog.load_table(tuple(name.split(".", 1)))
        fields = [(f.field_id, f.name, TYPES.get(str(f.field_type), str(f.field_type))) for f in table.schema().fields]
        with tempfile.TemporaryDirectory() as folder:
            local = {}

            def fetched(address):
                if address not in local:
                    local[address] = os.path.join(folder, "%d.parquet" % len(local))
                    with table.io.new_input(address).open() as source, open(local[address], "wb") as out:
                        out.write(source.read())
                return local[address]

            db = duckdb.connect()
            db.execute("SET timezone='UTC'; SET threads=2; CREATE TABLE gone (file varchar, pos bigint)")
            parts, deletes = [], set()
            for task in table.scan().plan_files():
                path = fetched(task.file.file_path)
                ids = {i: n for n, i in db.execute("SELECT name, field_id FROM parquet_schema(?) WHERE field_id IS NOT NULL", [path]).fetchall()}
                columns = ", ".join('CAST(%s AS %s) AS "%s"' % ('"%s"' % ids[i].replace('"', '""') if i in ids else "NULL", kind, n.replace('"', '""')) for i, n, kind in fields)
                parts.append("SELECT %s FROM read_parquet('%s', file_row_number = true) WHERE file_row_number NOT IN (SELECT pos FROM gone WHERE file = '%s')"
                             % (columns, path, task.file.file_path.replace("'", "''")))
                for delete in task.delete_files:
                    if delete.file_path not in deletes:
                        deletes.add(delete.file_path)
                        db.execute("INSERT INTO gone SELECT file_path, pos FROM read_parquet(?)", [fetched(delete.file_path)])
            none = "SELECT %s WHERE false" % ", ".join('CAST(NULL AS %s) AS "%s"' % (kind, n.replace('"', '""')) for _, n, kind in fields)
            show(db.execute(" UNION ALL ".join(parts or [none])).to_arrow_table(), True)


def iceberg(what, names):
    catalog = lake()
    if what == "query":
        import duckdb

        name, _, query = names[0].partition(" ")
        table = catalog.load_table(tuple(name.split(".", 1))).scan().to_arrow_batch_reader()
        show(duckdb.sql("set timezone='UTC'; set enable_progress_bar=false; " + query).to_arrow_table(), True)  # which knows it by the variable's name
        return
    for name in names:
        table = catalog.load_table(tuple(name.split(".", 1)))
        columns = [[f.name, str(f.field_type)] for f in table.schema().fields]
        if what == "rows":
            show(table.scan().to_arrow(), True, columns)
            continue
        print(json.dumps({"count": table.scan().count(), "columns": columns}), flush=True)


def hudi_rs(addresses):
    """Reads tables of Hudi by their addresses in S3 with hudi-rs. Hudi's own columns are left out."""
    from hudi import HudiTableBuilder

    options = {"aws_endpoint": endpoint("S3"), "aws_allow_http": "true", "aws_region": os.environ["AWS_REGION"], "aws_virtual_hosted_style_request": "false",
               "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"]}
    for address in addresses:
        table = HudiTableBuilder.from_base_uri(address).with_storage_options(options).build()
        batches = table.read()
        found = pa.Table.from_batches(batches) if batches else pa.schema(table.get_schema()).empty_table()
        show(found.select([n for n in found.schema.names if not n.startswith("_hoodie_")]), True)


def hudi_duckdb(addresses):
    """Reads tables of Hudi by their addresses in S3 with DuckDB's reader of Parquet: of each file group that no commit has
    replaced the newest file that a commit shows, with the columns that the newest commit names."""
    import re
    import tempfile

    import boto3
    import duckdb

    s3 = boto3.client("s3", endpoint_url=endpoint("S3"), region_name=os.environ["AWS_REGION"])
    for address in addresses:
        bucket, _, prefix = address.partition("://")[2].partition("/")
        keys = [o["Key"][len(prefix):] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix) for o in page.get("Contents", [])]
        read = lambda key: s3.get_object(Bucket=bucket, Key=prefix + key)["Body"].read()
        instants = sorted(m.groups() for m in (re.fullmatch(r"\.hoodie/(\d{17})\.(commit|replacecommit|deltacommit)", k) for k in keys) if m)
        commits = [(i, json.loads(read(".hoodie/%s.%s" % (i, action)))) for i, action in instants]
        replaced = {(partition, group) for _, c in commits for partition, groups in (c.get("partitionToReplaceFileIds") or {}).items() for group in groups}
        newest = {}
        for key in keys:
            m = re.fullmatch(r"(?:(.*)/)?([^/]+)_\d+-\d+-\d+_(\d{17})\.parquet", key)
            if m and not key.startswith(".hoodie/") and (m[3] < commits[0][0] or m[3] in dict(commits)):
                group = (m[1] or "", m[2])
                if group not in replaced:
                    newest[group] = max(newest.get(group, ("",)), (m[3], key))
        names = [f["name"] for f in json.loads([c["extraMetadata"]["schema"] for _, c in commits if c["extraMetadata"].get("schema")][-1])["fields"] if not f["name"].startswith("_hoodie_")]
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, (_, key) in enumerate(sorted(newest.values())):
                paths.append(os.path.join(folder, "%d.parquet" % i))
                with open(paths[-1], "wb") as out:
                    out.write(read(key))
            columns = ", ".join('"%s"' % n for n in names)
            if paths:
                query = "SELECT %s FROM read_parquet(%s, union_by_name = true, hive_partitioning = false)" % (columns, paths)
            else:
                query = "SELECT %s WHERE false" % ", ".join('NULL AS "%s"' % n for n in names)
            db = duckdb.connect()
            db.execute("SET timezone='UTC'; SET threads=2")
            show(db.execute(query).to_arrow_table(), True)


def read(arguments):
    engine, what, names = arguments[0], arguments[1], arguments[2:]
    if engine == "pyiceberg":
        iceberg(what, names)
        return
    if engine == "files-duckdb":
        files_duckdb(names)
        return
    if engine == "iceberg-duckdb":
        iceberg_duckdb(names)
        return
    if engine == "hudi-rs":
        hudi_rs(names)
        return
    if engine == "hudi-duckdb":
        hudi_duckdb(names)
        return
    for name in names:
        if engine == "duckdb":
            import duckdb
            if what == "query":
                table = duckdb.sql("set timezone='UTC'; set enable_progress_bar=false; " + name).to_arrow_table()
            else:
                table = duckdb.sql("set timezone='UTC'; select * from read_parquet(?)", params=[name]).to_arrow_table()
        else:
            import pyarrow.parquet
            table = pyarrow.parquet.read_table(name)
        show(table, what in ("rows", "query"))


def answer(connection):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.stdout = connection.makefile("w")
    try:
        request = json.loads(connection.makefile("r").readline())
        os.environ.clear()
        os.environ.update(request["environment"])
        read(request["arguments"])
        end = {"done": True}
    except BaseException:
        end = {"error": traceback.format_exc()}
    print(json.dumps(end), flush=True)


def serve():
    for name in ("pyarrow.parquet", "duckdb", "pyiceberg.catalog.glue", "pyiceberg.io.pyarrow", "boto3"):
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # an environment that is for others
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            ready, _, _ = select.select([server, sys.stdin], [], [])
            if sys.stdin in ready:
                os.killpg(0, signal.SIGKILL)
            connection, _ = server.accept()
            if os.fork() == 0:
                try:
                    server.close()
                    answer(connection)
                finally:
                    os._exit(0)
            connection.close()


serve()
