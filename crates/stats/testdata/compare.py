#!/usr/bin/env python3
"""Fails if two files of golden values differ by more than rounding: compare.py KEPT FRESH."""
import json
import sys


def differences(kept, fresh, path=""):
    if isinstance(kept, dict) and isinstance(fresh, dict):
        for key in sorted(kept.keys() | fresh.keys()):
            yield from differences(kept.get(key), fresh.get(key), f"{path}/{key}")
    elif isinstance(kept, list) and isinstance(fresh, list) and len(kept) == len(fresh):
        for index, (one, other) in enumerate(zip(kept, fresh)):
            yield from differences(one, other, f"{path}/{index}")
    elif isinstance(kept, (int, float)) and isinstance(fresh, (int, float)):
        if abs(kept - fresh) > 1e-11 * max(abs(kept), abs(fresh)) + 1e-15:
            yield f"{path}: {kept!r}, now {fresh!r}"
    elif kept != fresh:
        yield f"{path}: {kept!r}, now {fresh!r}"


kept, fresh = (json.load(open(name)) for name in sys.argv[1:3])
found = list(differences(kept, fresh))
print("\n".join(found[:20]), file=sys.stderr)
sys.exit(f"{sys.argv[1]}: {len(found)} values differ" if found else 0)
