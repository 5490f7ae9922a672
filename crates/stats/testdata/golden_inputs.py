"""The inputs of the golden values: made of integers, so that any language gets the same numbers.

`tests/golden_agreement/inputs.rs` makes the same ones.
"""
import json

import numpy as np


def lcg(n, z):
    """Numbers in [0, 1): z <- 1103515245 z + 12345 mod 2^31, from the state z."""
    out = []
    for _ in range(n):
        z = (1103515245 * z + 12345) % 2147483648
        out.append(z / 2147483648.0)
    return np.array(out)


def odds(u):
    """A heavy tail: no mean."""
    return u / (1.0 - u)


def samples():
    """Pairs of numeric samples, reference and current."""
    return {
        "small": (np.array([((i * 37) % 101) / 101.0 for i in range(40)]),
                  np.array([((j * 53 + 7) % 101) / 101.0 * 0.8 + 0.3 for j in range(30)])),
        "tiny": (lcg(5, 3), lcg(4, 8) + 0.25),
        "ties": (np.array([float((7 * i) % 13) for i in range(120)]),
                 np.array([float((5 * j) % 11 + 2) for j in range(90)])),
        "equal": (lcg(300, 21), lcg(250, 23)),
        "tail": (odds(lcg(400, 17)), odds(lcg(500, 19)) * 1.25),
        "large": (lcg(3000, 11), lcg(2000, 13) * 0.96 + 0.03),
    }


def tables():
    """Pairs of counts by category."""
    return {
        "four": ([50, 30, 15, 5], [30, 30, 25, 15]),
        "two": ([450, 550], [600, 400]),
        "ten": ([20 + (37 * i) % 41 for i in range(10)], [15 + (29 * i) % 31 for i in range(10)]),
        "absent": ([100, 50, 3, 1, 0, 2], [80, 70, 1, 0, 4, 1]),
        "many": ([1 + (31 * i) % 53 for i in range(200)], [1 + (17 * i) % 47 for i in range(200)]),
    }


def rows():
    """Rows in the plane, reference and current."""
    a = [[((i * 37) % 101) / 101.0, ((i * 71 + 5) % 103) / 103.0] for i in range(20)]
    b = [[((j * 53 + 7) % 101) / 101.0 * 0.8 + 0.3, ((j * 29 + 11) % 103) / 103.0] for j in range(15)]
    return np.array(a), np.array(b)


def shift_stream():
    """2,000 even numbers, 0.4 more from 1,000 on."""
    return [v if t < 1000 else v + 0.4 for t, v in enumerate(lcg(2000, 42).tolist())]


def bit_stream():
    """2,000 bits: ones at 5 %, at 20 % from 1,000 on."""
    return [int(v < (0.05 if t < 1000 else 0.20)) for t, v in enumerate(lcg(2000, 42).tolist())]


def long_bit_stream():
    """20,000 bits: ones at 10 %, at 15 % from 8,000 on, at 8 % from 15,000 on."""
    rate = lambda t: 0.10 if t < 8000 else 0.15 if t < 15000 else 0.08
    return [int(v < rate(t)) for t, v in enumerate(lcg(20000, 77).tolist())]


def jump_bits():
    """3,000 bits: ones at 5 %, at 60 % from 1,500 on."""
    return [int(v < (0.05 if t < 1500 else 0.60)) for t, v in enumerate(lcg(3000, 99).tolist())]


def scorer():
    """The scores and labels of a reference, and the scores of a period without labels."""
    reference = np.array([((i * 67) % 200 + 0.5) / 200.0 for i in range(200)])
    labels = (lcg(200, 7) < reference ** 1.5).astype(int)
    current = np.array([((j * 83) % 150 + 0.5) / 150.0 * 0.9 for j in range(150)])
    return reference, labels, current


def probabilities(n, z):
    """Three probabilities for each of n rows."""
    raw = np.stack([0.2 + lcg(n, z), 0.2 + lcg(n, z + 1000003), 0.2 + lcg(n, z + 5000011)], 1)
    return raw / (raw[:, :1] + raw[:, 1:2] + raw[:, 2:])


def plain(x):
    """Without numpy's types; an infinite or missing number becomes None."""
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [plain(v) for v in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    if x is None or isinstance(x, str):
        return x
    return float(x) if np.isfinite(x) else None


def write(values, **versions):
    print(json.dumps({"versions": {"numpy": np.__version__, **versions}, **plain(values)}, indent=1))
