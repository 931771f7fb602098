"""A merge by rewriting files, as a user of DuckDB does it: python merge_duckdb.py KEY CHANGES OUT FILE...

The files that hold changed keys are written anew, all by one statement into the folder OUT: their rows whose keys have not
changed, and the changes. Statements of their own for each file take half as much time again. Prints, as JSON, the files that
were left as they are.
"""
import json
import sys

import duckdb

key, folder, out, files = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
db = duckdb.connect(config={"threads": 2})
db.execute("SET preserve_insertion_order = false")
db.execute(f"CREATE TABLE changes AS SELECT * FROM read_parquet('{folder}/*.parquet')")
# Files that may hold changed keys by their own statistics, and of those the ones that do.
candidates = db.execute(
    "SELECT file_name FROM (SELECT file_name, min(stats_min_value::BIGINT) low, max(stats_max_value::BIGINT) high FROM parquet_metadata(?)"
    f" WHERE path_in_schema = '{key}' GROUP BY file_name) file WHERE EXISTS (FROM changes WHERE {key} BETWEEN low AND high)",
    [files],
).fetchall()
touched = db.execute(f"SELECT DISTINCT filename FROM read_parquet(?, filename = true) stored SEMI JOIN changes USING ({key})", [[c[0] for c in candidates]]).fetchall()
touched = [t[0] for t in touched]
db.execute(
    f"COPY (SELECT stored.* FROM read_parquet({touched}) stored ANTI JOIN changes USING ({key}) UNION ALL SELECT * FROM changes)"
    f" TO '{out}/merged' (FORMAT parquet, COMPRESSION zstd, OVERWRITE, PER_THREAD_OUTPUT true)"
)
print(json.dumps([file for file in files if file not in touched]))
