"""Compares two lists of Parquet files, whatever the order of their rows: python compare.py FILE... -- FILE...

Prints the number of rows when both hold the same, otherwise how many rows each has that the other has not.
"""
import sys

import duckdb

at = sys.argv.index("--")
sides = [sys.argv[1:at], sys.argv[at + 1 :]]
db = duckdb.connect(config={"threads": 2})
names = [[c[0] for c in db.execute("DESCRIBE SELECT * FROM read_parquet(?)", [side]).fetchall()] for side in sides]
if names[0] != names[1]:
    raise SystemExit(f"columns {names[0]} and {names[1]}")
digests = [db.execute("SELECT count(*), sum(hash(t)) FROM (SELECT * FROM read_parquet(?)) t", [side]).fetchone() for side in sides]
if digests[0] != digests[1]:
    rows = "SELECT count(*) FROM (SELECT * FROM read_parquet(?) EXCEPT ALL SELECT * FROM read_parquet(?))"
    only = [db.execute(rows, pair).fetchone()[0] for pair in (sides, sides[::-1])]
    raise SystemExit(f"{digests[0][0]} and {digests[1][0]} rows, {only[0]} and {only[1]} of which the other has not")
print(digests[0][0])
