"""Reads a lake with the `deltalake` package, as an outsider would, and checks it against itself.

Usage: read_lake.py FOLDER   (pip install deltalake pyarrow)
Exit: 0 when every table can be read and its log tells the truth about its files; 1 when not.
"""

import os
import pathlib
import sys

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable


def tables(folder: pathlib.Path):
    """Every folder below that has a Delta log."""
    return sorted(log.parent for log in folder.glob("**/_delta_log"))


def problems_of(path: pathlib.Path):
    """What the log says that the rows do not."""
    table = DeltaTable(str(path))
    rows = table.to_pyarrow_table(columns=["time"])
    column = pa.table(table.get_add_actions(flatten=True))
    counted = pc.sum(column["num_records"]).as_py()
    print(f"{path}: version {table.version()}, {column.num_rows} files, {rows.num_rows} rows")
    if counted != rows.num_rows:
        yield f"{path}: the log counts {counted} rows, and there are {rows.num_rows}"
    if rows.num_rows == 0:
        return
    least, greatest = pc.min(rows["time"]), pc.max(rows["time"])
    if pc.min(column["min.time"]).as_py() != least.as_py():
        yield f"{path}: the log's least time is {pc.min(column['min.time'])}, and the rows' is {least}"
    # A log may keep milliseconds only.
    if abs((pc.max(column["max.time"]).as_py() - greatest.as_py()).total_seconds()) >= 0.001:
        yield f"{path}: the log's greatest time is {pc.max(column['max.time'])}, and the rows' is {greatest}"
    if table.metadata().partition_columns:
        yield f"{path}: has partition columns"
    if table.protocol().min_reader_version != 1:
        yield f"{path}: needs a reader of version {table.protocol().min_reader_version}"


def main():
    found = tables(pathlib.Path(sys.argv[1]))
    problems = [problem for path in found for problem in problems_of(path)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not found:
        print("no table found", file=sys.stderr)
    return 1 if problems or not found else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of the readers outlive the interpreter now and then, which then aborts.
    os._exit(status)
