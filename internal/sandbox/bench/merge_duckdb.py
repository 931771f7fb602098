"""A merge by rewriting files, as a user of DuckDB does it: python merge_duckdb.py KEY CHANGES OUT FILE...

Each file that holds changed keys is written anew into the folder OUT under its name: the rows whose keys have not changed,
and the changes to the others. Files whose own statistics exclude all changed keys are passed over. Two files are at work at once, for DuckDB reads a file of
one row group with one thread.
"""
import concurrent.futures
import os
import sys

import duckdb

key, folder, out, files = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
db = duckdb.connect(config={"threads": 2})
db.execute("SET preserve_insertion_order = false")
db.execute(f"CREATE TABLE changes AS SELECT * FROM read_parquet('{folder}/*.parquet')")
bounds = db.execute(
    "SELECT file_name, min(stats_min_value::BIGINT), max(stats_max_value::BIGINT) FROM parquet_metadata(?) WHERE path_in_schema = ? GROUP BY file_name", [files, key]
).fetchall()


def rewrite(of):
    file, low, high = of
    cursor = db.cursor()
    cursor.execute(
        f"CREATE TEMP TABLE here AS SELECT changes.* FROM changes SEMI JOIN read_parquet('{file}') stored USING ({key}) WHERE changes.{key} BETWEEN {low} AND {high}"
    )
    if not cursor.execute("SELECT count(*) FROM here").fetchone()[0]:
        return
    cursor.execute(
        f"COPY (SELECT stored.* FROM read_parquet('{file}') stored ANTI JOIN here USING ({key}) UNION ALL SELECT * FROM here)"
        f" TO '{out}/{os.path.basename(file)}' (FORMAT parquet, COMPRESSION zstd)"
    )


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    list(pool.map(rewrite, bounds))
