"""Reads a STIX bundle strictly with the library of OASIS, and says how many objects of which type it has."""

import collections
import json
import sys

import stix2

raw = json.load(sys.stdin)
bundle = stix2.parse(raw, allow_custom=False)
known = {held["id"] for held in bundle.objects}
assert len(known) == len(bundle.objects), "an id is there twice"


def references(value):
    """Every id that an object refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("_ref"):
                yield inner
            elif key.endswith("_refs"):
                yield from inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


for held in raw["objects"]:
    for reference in references(held):
        assert reference in known, f"{held['id']} refers to {reference}, which is not there"
    if held["type"] == "software":
        fields = {key: held[key] for key in ("name", "version") if key in held}
        assert stix2.v21.Software(**fields).id == held["id"], held
    if held["type"] == "indicator" and held["pattern_type"] == "stix":
        stix2.v21.Indicator(pattern=held["pattern"], pattern_type="stix", valid_from=held["valid_from"])

for kind, count in sorted(collections.Counter(held["type"] for held in bundle.objects).items()):
    print(kind, count)
