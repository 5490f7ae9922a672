"""The same work as Wardline's, done by DuckDB and chdb, on the same files.

Takes one JSON object as its argument and prints one:
  {"do": "check"}
  {"do": "convert", "peer": "duckdb", "ndjson": FILE, "parquet": FILE, "threads": 2}
  {"do": "query", "files": [FILE, ...], "queries": [SQL, ...], "threads": 2, "runs": 3}
Only the work itself is timed, neither the start of Python nor imports. CPU time is that of all threads.
`wardline bench --python PYTHON` runs this; PYTHON needs duckdb, chdb and pyarrow.
"""

import json
import os
import statistics
import sys
import time


def timed(work):
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def check(_task):
    import chdb
    import duckdb
    import pyarrow

    return {"duckdb": duckdb.__version__, "chdb": chdb.__version__, "pyarrow": pyarrow.__version__}


def connect(threads):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(threads)}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    return connection


def convert_with_duckdb(task):
    connection = connect(task["threads"])
    source = f"read_json({literal(task['ndjson'])}, format = 'newline_delimited')"
    target = f"{literal(task['parquet'])} (FORMAT parquet, COMPRESSION zstd)"
    _, wall, processor = timed(lambda: connection.execute(f"COPY (SELECT * FROM {source}) TO {target}"))
    [(rows,)] = connection.execute(f"SELECT count(*) FROM read_parquet({literal(task['parquet'])})").fetchall()
    return rows, wall, processor


def convert_with_chdb(task):
    import chdb

    settings = f"max_threads = {int(task['threads'])}, output_format_parquet_compression_method = 'zstd'"
    source = f"file({literal(task['ndjson'])}, 'JSONEachRow')"
    target = f"FUNCTION file({literal(task['parquet'])}, 'Parquet')"
    _, wall, processor = timed(lambda: chdb.query(f"INSERT INTO {target} SELECT * FROM {source} SETTINGS {settings}"))
    rows = int(str(chdb.query(f"SELECT count() FROM file({literal(task['parquet'])}, 'Parquet')", "TSV")).strip())
    return rows, wall, processor


def convert(task):
    work = {"duckdb": convert_with_duckdb, "chdb": convert_with_chdb}[task["peer"]]
    rows, wall, processor = work(task)
    return {
        "rows": rows,
        "wall_seconds": wall,
        "processor_seconds": processor,
        "bytes": os.path.getsize(task["parquet"]),
    }


def query(task):
    connection = connect(task["threads"])
    files = ", ".join(literal(name) for name in task["files"])
    connection.execute(f"CREATE VIEW inference AS SELECT * FROM read_parquet([{files}])")
    answers = []
    for sql in task["queries"]:
        ask = lambda: connection.execute(sql).to_arrow_table()
        ask()  # As everyone does, once to warm up.
        runs = [timed(ask) for _ in range(task["runs"])]
        answers.append({
            "rows": runs[0][0].num_rows,
            "wall_seconds": statistics.median(wall for _, wall, _ in runs),
            "processor_seconds": statistics.median(processor for _, _, processor in runs),
        })
    return {"answers": answers}


def main():
    task = json.loads(sys.argv[1])
    print(json.dumps({"check": check, "convert": convert, "query": query}[task["do"]](task)))


main()
