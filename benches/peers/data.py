"""Makes the data that both sides read: data.py FOLDER.

Columns are files of little-endian doubles (.f64) or 32-bit codes (.u32), one value after the other. Everything
comes from fixed seeds.
"""

import os
import sys

import numpy as np
from data_text import write_texts

# Different values of the five categorical columns.
CARDINALITIES = [3, 10, 50, 200, 1000]


def table(rows, seed, moved):
    """20 numeric columns, normal, log-normal, even and exponential in turn, and 5 categorical ones with weights as of
    Zipf. Where moved, 5 numeric columns shift by 0.3 of their scale and one categorical column flattens."""
    random = np.random.default_rng(seed)
    numeric = []
    for column in range(20):
        kind = column % 4
        draw = [random.standard_normal, lambda n: random.lognormal(0, 0.5, n), random.random,
                lambda n: random.exponential(1.0, n)][kind]
        shift = 0.3 * (0.3 if kind == 2 else 1.0) if moved and column < 5 else 0.0
        numeric.append(draw(rows) + shift)
    categories = []
    for index, count in enumerate(CARDINALITIES):
        weights = 1.0 / np.arange(1, count + 1) ** (0.7 if moved and index == 1 else 1.1)
        categories.append(random.choice(count, rows, p=weights / weights.sum()))
    return numeric, categories


def scores(rows, seed, shift):
    """A calibrated scorer: p = 1 / (1 + exp(-2 z)), labels drawn from p; the shift moves z."""
    random = np.random.default_rng(seed)
    z = random.standard_normal(rows) + shift
    p = 1 / (1 + np.exp(-2 * z))
    return p, (random.random(rows) < p).astype(np.uint32)


def outlier_sets():
    """Labelled sets that packages ship: rows, and which are the outliers. Where outliers would be many, every so many-th
    of them is kept, so that they are at most a tenth."""
    from river import datasets as streams
    from sklearn import datasets

    def one_class(rows, is_odd):
        rows, is_odd = np.asarray(rows, float), np.asarray(is_odd)
        odd = np.flatnonzero(is_odd)
        keep = odd[:: max(1, int(np.ceil(len(odd) / (0.1 * (~is_odd).sum()))))]
        chosen = np.sort(np.concatenate([np.flatnonzero(~is_odd), keep]))
        return rows[chosen], is_odd[chosen]

    for name, load, odd in (("breast-cancer", datasets.load_breast_cancer, 0), ("wine", datasets.load_wine, 2),
                            ("iris", datasets.load_iris, 2), ("digits-0", datasets.load_digits, 0),
                            ("digits-4", datasets.load_digits, 4), ("digits-6", datasets.load_digits, 6)):
        rows, target = load(return_X_y=True)
        yield name, *one_class(rows, target == odd)
    for name, stream, odd in (("phishing", streams.Phishing(), True), ("segments", streams.ImageSegments(), "SKY"),
                              ("bananas", streams.Bananas(), True)):
        rows, target = zip(*((list(x.values()), y) for x, y in stream))
        is_odd = np.array([str(y).upper() == str(odd).upper() for y in target])
        yield name, *one_class(rows, is_odd)


def outlier_streams(sets):
    """Streams of rows with outliers: the sets of a thousand rows or more in random order, and one that is simulated: its usual
    rows move by ten standard deviations from the first to the last, 2 % lie 3.5 off in two of six columns."""
    random = np.random.default_rng(5)
    for name, rows, is_odd in sets:
        if len(rows) >= 1_000:
            order = random.permutation(len(rows))
            yield name, rows[order], is_odd[order]
    rows = random.standard_normal((20_000, 6))
    rows[:, 1] = 0.8 * rows[:, 0] + 0.6 * rows[:, 1]
    is_odd = random.random(len(rows)) < 0.02
    for at in np.flatnonzero(is_odd):
        rows[at, random.choice(6, 2, replace=False)] += 3.5 * random.choice([-1.0, 1.0], 2)
    yield "drifting", rows + np.linspace(0, 10, len(rows))[:, None] / np.sqrt(6), is_odd


def write(folder, name, values, kind):
    np.asarray(values).astype(kind).tofile(os.path.join(folder, name))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name, rows, seed, moved in (("reference", 1_000_000, 1, False), ("current", 100_000, 2, True)):
        numeric, categories = table(rows, seed, moved)
        for index, column in enumerate(numeric):
            write(folder, f"{name}-n{index:02}.f64", column, "<f8")
        for index, column in enumerate(categories):
            write(folder, f"{name}-c{index}.u32", column, "<u4")
    # The kernel test's second side: as many rows as the first, and the same columns moved.
    for index, column in enumerate(table(1_000_000, 3, True)[0]):
        write(folder, f"million-n{index:02}.f64", column, "<f8")
    for name, seed, shift in (("reference", 1, 0.0), ("current", 2, -0.4)):
        p, label = scores(1_000_000, seed, shift)
        write(folder, f"{name}-score.f64", p, "<f8")
        write(folder, f"{name}-label.u32", label, "<u4")
    sets = list(outlier_sets())
    for kind, tables in (("set", sets), ("stream", outlier_streams(sets))):
        names = []
        for name, rows, is_odd in tables:
            # Over how many forests an area is averaged: on the digits it differs by 0.05 from seed to seed, on others by
            # 0.01, and the means of two sides shall differ by less than 0.005 by chance.
            names.append(f"{name} {rows.shape[1]} {20 if kind == 'stream' else 300 if 'digits' in name else 100}")
            write(folder, f"{kind}-{name}.f64", rows.T, "<f8")
            write(folder, f"{kind}-{name}.u32", is_odd, "<u4")
        with open(os.path.join(folder, f"{kind}s.txt"), "w") as file:
            file.write("\n".join(names) + "\n")
    write_texts(folder)
    random = np.random.default_rng(3)
    write(folder, "stream-bits.f64", random.random(1_000_000) < 0.05, "<f8")
    write(folder, "stream-normal.f64", random.standard_normal(1_000_000), "<f8")


main()
