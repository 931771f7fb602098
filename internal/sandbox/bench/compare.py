"""Compares two lists of Parquet files, whatever the order of their rows: python compare.py SIDE SIDE

A side is JSON: {"files": [path, ...], "deletes": [path, ...]}, deletes being Iceberg's files of positions. Prints the number
of rows when both hold the same, otherwise how many rows each has that the other has not.
"""
import json
import sys

import duckdb

db = duckdb.connect(config={"threads": 2})
rows = []
for number, side in enumerate(map(json.loads, sys.argv[1:])):
    stored = f"read_parquet({side['files']}, filename = true, file_row_number = true)"
    # Hudi's own columns are not the table's.
    rows.append(f"SELECT COLUMNS(c -> NOT starts_with(c, '_hoodie_') AND c NOT IN ('filename', 'file_row_number')) FROM {stored} stored")
    if side["deletes"]:
        rows[number] += f" WHERE NOT EXISTS (FROM read_parquet({side['deletes']}) gone WHERE gone.file_path = 'file://' || stored.filename AND gone.pos = stored.file_row_number)"
names = [[c[0] for c in db.execute(f"DESCRIBE {side}").fetchall()] for side in rows]
if names[0] != names[1]:
    raise SystemExit(f"columns {names[0]} and {names[1]}")
digests = [db.execute(f"SELECT count(*), sum(hash(t)) FROM ({side}) t").fetchone() for side in rows]
if digests[0] != digests[1]:
    only = [db.execute(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})").fetchone()[0] for one, other in (rows, rows[::-1])]
    raise SystemExit(f"{digests[0][0]} and {digests[1][0]} rows, {only[0]} and {only[1]} of which the other has not")
print(digests[0][0])
