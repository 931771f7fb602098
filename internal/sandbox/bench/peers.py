"""One extraction by one of the peers: python peers.py PEER CONNECTIONS TABLE FOLDER. The database is libpq's."""
import os
import sys

peer, connections, table, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
columns = os.environ["BENCH_COLUMNS"]

if peer == "duckdb":
    import duckdb
    import duckdb_extension_postgres_scanner as extension

    db = duckdb.connect(config={"threads": connections})
    db.execute(f"LOAD '{os.path.dirname(extension.__file__)}/extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension'")
    db.execute("ATTACH '' AS pg (TYPE postgres, READ_ONLY)")
    db.execute(f"SET pg_connection_limit = {connections + 1}")
    db.execute("SET preserve_insertion_order = false")
    db.execute(f"COPY (SELECT * FROM pg.public.{table}) TO '{folder}/out.parquet' (FORMAT parquet, COMPRESSION zstd)")
elif peer == "adbc":
    import adbc_driver_postgresql.dbapi as adbc
    import pyarrow.parquet as pq

    with adbc.connect("postgresql://") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM public.{table}")
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(f"{folder}/out.parquet", reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
elif peer == "connectorx":
    import connectorx
    import pyarrow.parquet as pq

    result = connectorx.read_sql(os.environ["BENCH_URL"], f"SELECT {columns} FROM public.{table}", return_type="arrow", protocol="binary")
    pq.write_table(result, f"{folder}/out.parquet", compression="zstd")
else:
    raise SystemExit(f"there is no peer {peer}")
