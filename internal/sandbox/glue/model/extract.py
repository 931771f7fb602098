#!/usr/bin/env python3
"""Writes glue.json: the part of botocore's AWS Glue service model that the sandbox implements.

Usage, from this directory:

    python3 -m venv /tmp/botocore
    /tmp/botocore/bin/pip install botocore==1.44.5
    /tmp/botocore/bin/python extract.py > glue.json

The operations below, and every shape that can be reached from their input, output and errors, are
kept. Of a shape only what validation needs is kept; documentation is dropped. The output is sorted,
one operation or shape a line, so that a new version of the model reads as a diff.
"""

import json
import sys

import botocore
from botocore.loaders import Loader

API_VERSION = "2017-03-31"

OPERATIONS = """
CreateJob GetJob GetJobs ListJobs BatchGetJobs UpdateJob DeleteJob
StartJobRun GetJobRun GetJobRuns BatchStopJobRun
CreateTrigger GetTrigger GetTriggers ListTriggers BatchGetTriggers UpdateTrigger StartTrigger
StopTrigger DeleteTrigger
CreateConnection GetConnection GetConnections UpdateConnection DeleteConnection
CreateDatabase GetDatabase GetDatabases UpdateDatabase DeleteDatabase
CreateTable GetTable GetTables UpdateTable DeleteTable BatchDeleteTable
GetTableVersion GetTableVersions DeleteTableVersion BatchDeleteTableVersion
CreatePartition BatchCreatePartition GetPartition GetPartitions BatchGetPartition UpdatePartition
DeletePartition BatchDeletePartition
TagResource UntagResource GetTags
""".split()

CONSTRAINTS = ("required", "enum", "pattern", "min", "max", "document")


def minimised(shape):
    """Returns the shape with its type, constraints and references, and nothing else."""
    out = {"type": shape["type"]}
    for key in CONSTRAINTS:
        if key in shape:
            out[key] = shape[key]
    if "members" in shape:
        out["members"] = {name: ref["shape"] for name, ref in shape["members"].items()}
    for key in ("member", "key", "value"):
        if key in shape:
            out[key] = shape[key]["shape"]
    return out


def references(shape):
    """Returns the names of the shapes that a minimised shape refers to."""
    refs = list(shape.get("members", {}).values())
    refs += [shape[key] for key in ("member", "key", "value") if key in shape]
    return refs


def main():
    model = Loader().load_service_model("glue", "service-2", API_VERSION)
    operations, pending = {}, []
    for name in OPERATIONS:
        op = model["operations"][name]
        operations[name] = {
            "input": op["input"]["shape"],
            "output": op["output"]["shape"],
            "errors": sorted({error["shape"] for error in op.get("errors", [])}),
        }
        pending += [operations[name]["input"], operations[name]["output"], *operations[name]["errors"]]

    shapes = {}
    while pending:
        name = pending.pop()
        if name not in shapes:
            shapes[name] = minimised(model["shapes"][name])
            pending += references(shapes[name])

    def lines(table):
        return ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(table[name], sort_keys=True)}" for name in sorted(table)
        )

    source = {"botocore": botocore.__version__, "apiVersion": API_VERSION, "licence": "Apache-2.0"}
    sys.stdout.write(
        "{\n"
        f' "source": {json.dumps(source)},\n'
        f' "operations": {{\n{lines(operations)}\n }},\n'
        f' "shapes": {{\n{lines(shapes)}\n }}\n'
        "}\n"
    )


if __name__ == "__main__":
    main()
