#!/usr/bin/env python3
"""The objective of scikit-learn's LogisticRegression(class_weight="balanced"): learn_convex_test.cpp.

reference_weights.py          (with python3-sklearn; the number is that of 1.9)
"""

import csv
import math
import os

from sklearn.linear_model import LogisticRegression

DATA = os.path.join(os.path.dirname(__file__), "../../workflows/data/iris.csv")

# Of the first class every 5th flower, of the second every 2nd, of the third all.
rows = [row for i, row in enumerate(list(csv.reader(open(DATA)))[1:]) if i % (5, 2, 1)[i // 50] == 0]
features, labels = [[float(x) for x in row[:4]] for row in rows], [row[4] for row in rows]
fit = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-12, max_iter=100000).fit(features, labels)
classes = list(fit.classes_)
weights = {name: len(labels) / (len(classes) * labels.count(name)) for name in classes}
log_p = fit.predict_log_proba(features)
loss = -sum(weights[name] * log_p[i][classes.index(name)] for i, name in enumerate(labels))
print(float(loss + 0.5 * math.fsum(w * w for row in fit.coef_ for w in row)))
