"""One Spark session, of Iceberg over the Glue catalogue, as the catalogue "lake", or of Hudi.

Reads statements from standard input, a line of JSON each: {"sql": ..., "rows": true or false}, or with "write":
{"format": ..., "mode": ..., "path": ..., "options": {...}} to write what the query finds; answers each with a
line of JSON on standard output: {"columns": [[name, type], ...], "count": n, "rows": [[value, ...], ...]} or
{"error": ...}. The values are in the plain form of readback's read.py.

Settings come as JSON in the first argument.
"""
import decimal
import json
import os
import struct
import sys

EXACT = decimal.Context(prec=80, traps=[decimal.Inexact, decimal.InvalidOperation])

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever else this process and its Java say is no answer

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions, types


def answer(value):
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def column(field):
    """What to select for a column, and what makes its plain form of what arrives."""
    name = "`" + field.name.replace("`", "``") + "`"
    kind = field.dataType
    if isinstance(kind, types.DateType):
        return "unix_date(%s)" % name, str
    if isinstance(kind, types.TimestampType):
        return "unix_micros(%s)" % name, str
    if isinstance(kind, types.TimestampNTZType):
        return "unix_micros(cast(%s as timestamp))" % name, str
    if isinstance(kind, types.BooleanType):
        return name, lambda v: "true" if v else "false"
    if isinstance(kind, types.FloatType):
        return name, lambda v: struct.pack(">f", v).hex()
    if isinstance(kind, types.DoubleType):
        return name, lambda v: struct.pack(">d", v).hex()
    if isinstance(kind, types.DecimalType):
        digit = decimal.Decimal(1).scaleb(-kind.scale)  # what arrives may have more zeros than the type
        return name, lambda v: format(v.quantize(digit, context=EXACT), "f")
    if isinstance(kind, types.BinaryType):
        return name, lambda v: bytes(v).hex()
    return name, str


def plain(frame):
    fields = frame.schema.fields
    columns = [column(f) for f in fields]
    selected = frame.select(*[functions.expr(c[0]).alias("c%d" % i) for i, c in enumerate(columns)]).collect()
    forms = [c[1] for c in columns]
    return {
        "columns": [[f.name, f.dataType.simpleString()] for f in fields], "count": len(selected),
        "rows": [[None if v is None else form(v) for v, form in zip(row, forms)] for row in selected],
    }


def main():
    builder = SparkSession.builder
    for name, value in json.loads(sys.argv[1]).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    answer({"count": 0})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            frame = session.sql(request["sql"])
            write = request.get("write")
            if write:
                frame.write.format(write["format"]).mode(write["mode"]).options(**write["options"]).save(write["path"])
                answer({"count": 0})
            elif request["rows"]:
                answer(plain(frame))
            else:
                frame.collect()
                answer({"count": 0})
        except Exception as problem:
            text = str(problem)
            if not isinstance(problem, PySparkException):
                text = type(problem).__name__ + ": " + text
            causes = [line for line in text.splitlines() if line.startswith("Caused by: ")]
            answer({"error": "\n".join([text.split("\n\tat ")[0][:4000]] + causes[-1:])})
    session.stop()


main()
