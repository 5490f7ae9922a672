#!/usr/bin/env python3
"""Detectors of change of river over fixed streams: golden_streams.json. Indices count from 0."""
import river
from golden_inputs import bit_stream, jump_bits, long_bit_stream, shift_stream, write
from river import drift
from river.drift import binary


def run(detector, values):
    alarms, warnings = [], []
    for index, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            alarms.append(index)
        elif getattr(detector, "warning_detected", False):
            warnings.append(index)
    out = {"alarms": alarms}
    if hasattr(detector, "warning_detected"):
        out["warnings"] = {"count": len(warnings), "sum": sum(warnings)}
    return out


def adwin(values, **settings):
    detector = drift.ADWIN(**settings)
    out = run(detector, values)
    return {**out, "width": detector.width, "mean": detector.estimation, "variance": detector.variance}


STREAMS = {"shift": shift_stream(), "bits": bit_stream(), "long_bits": long_bit_stream(), "jump_bits": jump_bits()}
BINARY = {"ddm": binary.DDM, "eddm": binary.EDDM, "hddm_a": binary.HDDMA, "hddm_w": binary.HDDMW,
          "hddm_a_two_sided": lambda: binary.HDDMA(two_sided_test=True),
          "hddm_w_two_sided": lambda: binary.HDDMW(two_sided_test=True),
          "ddm_short": lambda: binary.DDM(warm_start=100, warning_threshold=1.5, drift_threshold=2.5),
          "eddm_strict": lambda: binary.EDDM(warm_start=50, alpha=0.9, beta=0.8)}

out = {}
for name, values in STREAMS.items():
    out[name] = {
        "n": len(values), "sum": float(sum(values)),
        "adwin": adwin(values), "adwin_delta_0.05": adwin(values, delta=0.05),
        "adwin_clock_1": adwin(values, clock=1, grace_period=5),
        "page_hinkley": run(drift.PageHinkley(), values),
        "page_hinkley_up_10": run(drift.PageHinkley(threshold=10, mode="up"), values),
        "page_hinkley_down_10": run(drift.PageHinkley(threshold=10, mode="down"), values),
    }
    if name != "shift":
        out[name].update({key: run(make(), values) for key, make in BINARY.items()})
# KSWIN draws its sample from Python's own generator: only rates and delays can agree.
alarms = [run(drift.KSWIN(seed=seed), STREAMS["shift"])["alarms"] for seed in range(40)]
first = [next((i for i in a if i >= 1000), None) for a in alarms]
out["kswin_shift_of_40_seeds"] = {
    "alarms_before_1000": sum(i < 1000 for a in alarms for i in a),
    "delay_least": min(i for i in first if i is not None) - 1000,
    "delay_most": max(i for i in first if i is not None) - 1000,
    "found": sum(i is not None for i in first)}
write(out, river=river.__version__)
