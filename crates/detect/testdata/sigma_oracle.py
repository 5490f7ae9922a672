"""Random rules and events, with what pySigma's SQLite backend says of them.

    python -m venv venv && venv/bin/pip install -r requirements/sigma.txt
    venv/bin/python sigma_oracle.py > sigma_oracle.json

The same seed writes the same file. Two defects of the backend are kept out of the rules: a network that it writes as
several patterns loses its brackets beside `and`, and a value under `neq` is compared with regard to case.
"""

import importlib.metadata
import json
import random
import re
import sqlite3
import sys

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

SEED = 20261127
N_EVENTS = 160
N_RULES = 260
N_CORRELATIONS = 90
COLUMNS = ["prompt", "user", "output", "client_ip", "input_tokens", "latency_ms", "session"]
START = 1_793_613_600  # 2026-11-02T10:00:00Z


def event(dice, time):
    word = lambda: "".join(dice.choice("abABxyz-_%.*?1 ") for _ in range(dice.randint(0, 7)))
    return {
        "time": time,
        "prompt": dice.choice([word(), word(), "ab", "Ab*", "-enc ab", "c2VjcmV0", "xHNlY3JldHk="]),
        "user": dice.choice(["u1", "u2", "u3", "adm", "a"]),
        "output": dice.choice([word(), "ab", "xabx"]),
        "client_ip": dice.choice(["10.1.2.3", "10.200.0.1", "192.168.7.9", "11.0.0.1", "172.16.31.200"]),
        "input_tokens": dice.randint(0, 6),
        "latency_ms": dice.choice([0.5, 1.0, 2.5, 10.0]),
        # Only this one may be missing, and only where SQL's `NULL` and Sigma's `not` mean the same.
        "session": dice.choice([None, "s1", "s2", "s3"]),
    }


def text(dice):
    return "".join(dice.choice("abABx1-_%.*?") for _ in range(dice.randint(1, 4)))


def item(dice):
    field = dice.choice(["prompt", "user", "output"])
    many = [text(dice) for _ in range(dice.randint(1, 3))]
    form = dice.randint(0, 12)
    if form <= 4:
        modifier = dice.choice(["", "|contains", "|startswith", "|endswith", "|contains|all", "|neq"])
        if modifier == "|neq":
            many = [re.sub("[a-zA-Z]", "1", one) for one in many]
        return {field + modifier: many}
    if form == 5:
        return {field + "|re": dice.choice(["^[ab]+$", "a.b", "B", "x$", "^$"])}
    if form == 6:
        return {dice.choice(["input_tokens", "latency_ms"]) + dice.choice(["|gt", "|gte", "|lt", "|lte"]): dice.randint(0, 5)}
    if form == 7:
        return {"input_tokens": [dice.randint(0, 6) for _ in range(2)]}
    if form == 8:
        return {"client_ip|cidr": dice.choice(["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/16", "10.200.0.0/24", "11.0.0.1/32"])}
    if form == 9:
        return {"session": None} if dice.random() < 0.5 else {"session|exists": dice.random() < 0.5}
    if form == 10:
        return {"prompt|base64offset|contains": "secret"}
    if form == 11:
        return {"user|fieldref" + dice.choice(["", "|startswith"]): "output"}
    return {"prompt|windash|contains": " -enc" if dice.random() < 0.5 else "-enc"}


def rule(dice, number):
    selections = {f"s{place}": item(dice) for place in range(3)}
    if dice.random() < 0.2:
        selections["s1"] = [item(dice), item(dice)]
    condition = dice.choice(
        ["s0", "s0 and s1", "s0 or s1 or s2", "not s0 and s1", "s0 and not (s1 or s2)", "1 of s*", "all of them", "not 1 of s*"]
    )
    return {
        "title": f"rule {number}",
        "name": f"rule_{number}",
        "logsource": {"product": "wardline", "category": "inference"},
        "detection": {**selections, "condition": condition},
    }


def base(name, detection):
    return {
        "title": name,
        "name": name,
        "logsource": {"product": "wardline", "category": "inference"},
        "detection": {"s": detection, "condition": "s"},
    }


def correlation(dice, number):
    names = [f"a{number}", f"b{number}"]
    bases = [
        base(names[0], {"prompt|contains": dice.choice(["a", "b", "x", "1"])}),
        base(names[1], {"input_tokens|gte": dice.randint(1, 4)}),
    ]
    kind = dice.choice(
        ["event_count", "value_count", "value_sum", "value_avg", "value_median", "value_percentile", "temporal", "temporal_ordered"]
    )
    body = {
        "type": kind,
        "rules": names if kind.startswith("temporal") else names[:1],
        "group-by": dice.choice([["user"], ["session"], ["user", "session"]]),
        "timespan": dice.choice(["10s", "30s", "1m", "2m"]),
    }
    condition = {dice.choice(["gte", "gt"]): dice.randint(2, 4)}
    if kind == "value_count":
        condition["field"] = dice.choice(["prompt", "client_ip"])
    elif kind in ("value_sum", "value_avg", "value_median", "value_percentile"):
        condition["field"] = "input_tokens"
        if kind == "value_percentile":
            condition["percentile"] = dice.choice([25, 75, 90])
        if kind == "value_sum":
            condition = {"gte": dice.randint(5, 15), "field": "input_tokens"}
    if not kind.startswith("temporal"):
        body["condition"] = condition
    return bases + [{"title": f"correlation {number}", "name": f"c{number}", "correlation": body}]


def database(events):
    connection = sqlite3.connect(":memory:")
    connection.create_function("REGEXP", 2, lambda pattern, value: value is not None and re.search(pattern, str(value)) is not None)
    types = {"input_tokens": "INTEGER", "latency_ms": "REAL"}
    columns = ", ".join(f"{name} {types.get(name, 'TEXT')}" for name in COLUMNS)
    connection.execute(f"CREATE TABLE logs (id INTEGER PRIMARY KEY, timestamp REAL, {columns})")
    for number, one in enumerate(events):
        values = [number, one["time"]] + [one[name] for name in COLUMNS]
        connection.execute(f"INSERT INTO logs VALUES ({', '.join('?' * len(values))})", values)
    return connection


def rows(connection, query):
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


def main():
    dice = random.Random(SEED)
    time = START
    events = []
    for _ in range(N_EVENTS):
        time += dice.choice([1, 2, 5, 9, 20])
        events.append(event(dice, time))
    connection = database(events)
    rules, correlations = [], []
    while len(rules) < N_RULES:
        drawn = rule(dice, len(rules))
        backend = sqliteBackend()
        query = backend.convert(SigmaCollection.from_dicts([drawn]))[0]
        found = sorted(row["id"] for row in rows(connection, query.replace("SELECT *", "SELECT id")))
        rules.append({"rule": drawn, "matches": found})
    while len(correlations) < N_CORRELATIONS:
        drawn = correlation(dice, len(correlations))
        backend = sqliteBackend(timestamp_format="unix")
        queries = backend.convert(SigmaCollection.from_dicts(drawn))
        answer = rows(connection, queries[-1])
        fired = {}
        for row in answer:
            key = "|".join(json.loads(row["group_keys"])[name] for name in drawn[-1]["correlation"]["group-by"])
            fired.setdefault(key, set()).add(int(row["occurrence_time"]))
        correlations.append({"rules": drawn, "fired": {key: sorted(times) for key, times in fired.items()}})
    versions = {name: importlib.metadata.version(name) for name in ["pySigma", "pySigma-backend-sqlite"]}
    versions["sqlite"] = sqlite3.sqlite_version
    written = {"versions": versions, "seed": SEED, "events": events, "rules": rules, "correlations": correlations}
    json.dump(written, sys.stdout, separators=(",", ":"), sort_keys=True)


main()
