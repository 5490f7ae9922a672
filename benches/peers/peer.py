"""Does one peer's work on the data of data.py: peer.py JOB FOLDER. Prints one line of JSON.

Only the work is timed: imports are warm, the data is in memory in the form the peer takes, and each library has done
the same work once on a small part. Peers keep their documented defaults and get one thread.
"""

import importlib
import json
import os
import resource
import sys
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
                 "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[variable] = "1"
os.environ.update(DO_NOT_TRACK="1", NML_DISABLE_USAGE_LOGGING="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402


def mib(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024


def measured(work):
    """Runs the work; its processor time, wall time and peak of resident memory."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # The peak starts anew.
    before = mib("VmRSS")
    used = lambda: sum(getattr(resource.getrusage(who), part) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
                       for part in ("ru_utime", "ru_stime"))
    processor, wall = used(), time.perf_counter()
    said = work()
    return {"cpu_s": used() - processor, "wall_s": time.perf_counter() - wall, "peak_mib": mib("VmHWM"),
            "before_mib": before, "said": said}


def column(folder, name, kind="<f8"):
    return np.fromfile(os.path.join(folder, name), kind)


def numeric(folder, side, rows=None):
    return np.stack([column(folder, f"{side}-n{index:02}.f64")[:rows] for index in range(20)], 1)


def frame(folder, side):
    import pandas

    table = pandas.DataFrame({f"n{index:02}": column(folder, f"{side}-n{index:02}.f64") for index in range(20)})
    for index in range(5):
        table[f"c{index}"] = np.char.add("v", column(folder, f"{side}-c{index}.u32", "<u4").astype("U4"))
    return table


def evidently_drift(folder):
    import evidently
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    reference, current = frame(folder, "reference"), frame(folder, "current")
    definition = DataDefinition(numerical_columns=[name for name in reference if name[0] == "n"],
                                categorical_columns=[name for name in reference if name[0] == "c"])

    def work(reference, current):
        sides = [Dataset.from_pandas(side, definition) for side in (current, reference)]
        metrics = Report([DataDriftPreset()]).run(*sides).dict()["metrics"]
        return {"drifted_columns": metrics[0]["value"]["count"]}

    work(reference.head(2_000), current.head(500))
    return {"version": evidently.__version__, **measured(lambda: work(reference, current))}


def nannyml_cbpe(folder):
    import nannyml
    import pandas

    def side(name):
        score = column(folder, f"{name}-score.f64")
        return pandas.DataFrame({"score": score, "decided": (score >= 0.5).astype(int),
                                 "label": column(folder, f"{name}-label.u32", "<u4").astype(int)})

    def work(reference, current, chunk):
        estimator = nannyml.CBPE(y_pred_proba="score", y_pred="decided", y_true="label", chunk_size=chunk,
                                 metrics=["roc_auc", "f1", "accuracy"], problem_type="classification_binary")
        estimator.fit(reference)
        found = estimator.estimate(current).filter(period="analysis").to_df()
        return {metric: float(found[(metric, "value")].mean()) for metric in ("roc_auc", "f1", "accuracy")}

    reference, current = side("reference"), side("current").drop(columns="label")
    work(reference.head(5_000), current.head(5_000), 500)
    return {"version": nannyml.__version__, **measured(lambda: work(reference, current, 50_000))}


def river_stream(name, file):
    def job(folder):
        import river
        from river import drift

        values = column(folder, file).tolist()

        def work(values):
            detector, alarms = getattr(drift, name)(), 0
            for value in values:
                detector.update(value)
                alarms += detector.drift_detected
            return {"alarms": alarms}

        def loop():
            alarms = 0
            for value in values:
                alarms += value > 1e9
            return {"alarms": alarms}

        work(values[:10_000])
        bare = measured(loop)["cpu_s"]
        return {"version": river.__version__, "loop_alone_s": bare, "updates": len(values), **measured(lambda: work(values))}

    return job


def classify(reference, current):
    from alibi_detect.cd import ClassifierDrift
    from sklearn.ensemble import HistGradientBoostingClassifier

    detector = ClassifierDrift(reference, HistGradientBoostingClassifier(), backend="sklearn", n_folds=5, p_val=0.05)
    found = detector.predict(current)["data"]
    return {"drift": int(found["is_drift"]), "p": float(found["p_val"])}


def alibi_classifier(folder):
    import alibi_detect

    reference, current = numeric(folder, "reference", 100_000), numeric(folder, "current", 100_000)
    classify(reference[:500], current[:500])
    return {"version": alibi_detect.__version__, **measured(lambda: classify(reference, current))}


def discrepancy(reference, current):
    from alibi_detect.cd import MMDDrift

    found = MMDDrift(reference, backend="tensorflow").predict(current)["data"]
    return {"drift": int(found["is_drift"]), "p": float(found["p_val"])}


def alibi_mmd(folder):
    """2,000 rows a side, 100 permutations: what fits; a million rows would need 14.6 TiB for the kernel."""
    import alibi_detect
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    reference = numeric(folder, "reference", 2_000).astype(np.float32)
    current = numeric(folder, "million", 2_000).astype(np.float32)
    discrepancy(reference[:100], current[:100])
    return {"version": alibi_detect.__version__, **measured(lambda: discrepancy(reference, current))}


def power(test, pairs, shift):
    """The share of pairs of 2,000 rows that are told apart, where one of 20 columns moves by the shift."""
    random, found = np.random.default_rng(7), 0
    for _ in range(pairs):
        reference, current = (random.standard_normal((2_000, 20)).astype(np.float32) for _ in range(2))
        current[:, 0] += np.float32(shift)
        found += test(reference, current)["drift"]
    return found / pairs


def power_job(test, pairs):
    def job(_folder):
        import alibi_detect

        found = {}
        # Without a change half of the pairs: the rate of false alarms is only shown.
        cost = measured(lambda: found.update(found=power(test, pairs, 0.15), unchanged=power(test, pairs // 2, 0.0)))
        return {"version": alibi_detect.__version__, **cost, "power": found["found"], "false_alarms": found["unchanged"],
                "pairs": pairs}

    return job


JOBS = {"evidently_drift": evidently_drift, "nannyml_cbpe": nannyml_cbpe, "alibi_classifier": alibi_classifier,
        "alibi_mmd": alibi_mmd, "alibi_classifier_power": power_job(classify, 100),
        "alibi_mmd_power": power_job(discrepancy, 40), "river_adwin_bits": river_stream("ADWIN", "stream-bits.f64"),
        "river_adwin_normal": river_stream("ADWIN", "stream-normal.f64"),
        "river_page_hinkley_bits": river_stream("PageHinkley", "stream-bits.f64"),
        "river_page_hinkley_normal": river_stream("PageHinkley", "stream-normal.f64")}
# Modules of jobs by subject.
MODULES = ["peer_explain", "peer_fairness", "peer_outlier_models", "peer_outliers", "peer_text"]

if __name__ == "__main__":
    # Their `import peer` is this file, which runs already.
    sys.modules["peer"] = sys.modules["__main__"]
    for module in MODULES:
        JOBS.update(importlib.import_module(module).JOBS)
    print(json.dumps({"job": sys.argv[1], **JOBS[sys.argv[1]](sys.argv[2])}, default=lambda value: value.item()))
