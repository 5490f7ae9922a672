"""Trains two versions of a model that screens tumours, on data that scikit-learn brings along.

2.0 scales its features. 2.1 takes their logarithm first, and is about as good on the test set, where no measurement is
zero. A measurement that is zero has no logarithm, which nobody tried.
"""

import pathlib
import sys

import joblib
import numpy
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler


def main(folder: pathlib.Path) -> None:
    data = load_breast_cancer()
    has_zero = (data.data == 0).any(axis=1)
    seen, labels = data.data[~has_zero], data.target[~has_zero]
    train_rows, test_rows, train_labels, test_labels = train_test_split(seen, labels, random_state=7)
    versions = {
        "2.0": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        "2.1": make_pipeline(FunctionTransformer(numpy.log), StandardScaler(), LogisticRegression(max_iter=500)),
    }
    for version, model in versions.items():
        model.fit(train_rows, train_labels)
        joblib.dump(model, folder / f"{version}.joblib")
        print(f"    version {version}: {model.score(test_rows, test_labels):.1%} of its test set right")
    joblib.dump({"names": list(data.feature_names), "usual": seen, "with_zeros": data.data[has_zero]}, folder / "rows.joblib")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
