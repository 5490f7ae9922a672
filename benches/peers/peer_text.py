"""Hashed n-grams and linear models of scikit-learn: jobs of peer.py."""

import os

LEARNED = 16_000


def text_job(linear):
    def job(folder):
        import sklearn
        from peer import column, measured
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import LogisticRegression, SGDClassifier
        from sklearn.metrics import accuracy_score, roc_auc_score
        from sklearn.pipeline import FeatureUnion, make_pipeline

        with open(os.path.join(folder, "texts.txt"), encoding="utf-8") as file:
            texts = file.read().splitlines()
        classes = column(folder, "texts.u32", "<u4")
        made = {"sgd": lambda: SGDClassifier(loss="log_loss", random_state=1),
                "logistic": lambda: LogisticRegression(max_iter=1000)}[linear]

        def learn_and_judge(texts, classes, learned):
            words = HashingVectorizer(ngram_range=(1, 2), n_features=2**17)
            letters = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=2**17)
            model = make_pipeline(FeatureUnion([("words", words), ("letters", letters)]), made())
            model.fit(texts[:learned], classes[:learned])
            found = model.predict_proba(texts[learned:])[:, 1]
            return {"area": roc_auc_score(classes[learned:], found),
                    "accuracy": accuracy_score(classes[learned:], found > 0.5)}

        learn_and_judge(texts[:400], classes[:400], 200)
        return {"version": sklearn.__version__, **measured(lambda: learn_and_judge(texts, classes, LEARNED))}

    return job


JOBS = {"sklearn_text_sgd": text_job("sgd"), "sklearn_text_logistic": text_job("logistic")}
