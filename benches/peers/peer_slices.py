"""sliceline's search on the rows that crates/stats/examples/peers/slices.rs makes by the same formula."""

import numpy as np

ROWS, ATTRIBUTES = 100_000, 25


def unit(rows, place):
    """In [0, 1): SplitMix64 of row and place."""
    with np.errstate(over="ignore"):
        z = (rows * np.uint64(64) + np.uint64(place + 1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2.0**53


def table(n=ROWS):
    rows = np.arange(n, dtype=np.uint64)
    columns = np.stack([((2 + place * 7 % 29) * unit(rows, place) ** 2).astype(int) for place in range(ATTRIBUTES)], 1)
    planted = (columns[:, 4] == 1) & (columns[:, 9] == 0)
    return columns, (unit(rows, 60) < np.where(planted, 0.25, 0.05)).astype(float)


def sliceline_top(_folder):
    """The search alone: the peer has no test and no share."""
    from peer import measured
    from sliceline.slicefinder import Slicefinder

    make = lambda: Slicefinder(alpha=0.95, k=5, max_l=3, min_sup=30, verbose=False)
    columns, errors = table()
    make().fit(*table(2_000))
    found = []

    def work():
        finder = make().fit(columns, errors)
        found.extend([None if value is None else int(value) for value in row] for row in finder.top_slices_[:2])
        return len(finder.top_slices_)

    return measured(work) | {"slices": found}


JOBS = {"sliceline_top": sliceline_top}
