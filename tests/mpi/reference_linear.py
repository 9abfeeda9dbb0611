#!/usr/bin/env python3
"""Objectives of scikit-learn's linear models at their minimum: learn_newton_test.cpp.

reference_linear.py          (with python3-sklearn; the numbers are those of 1.9)
"""

import csv
import os

import numpy as np
from sklearn.linear_model import LogisticRegression

DATA = os.path.join(os.path.dirname(__file__), "../../workflows/data/")


def two_kinds():
    """Every 2nd versicolor, and every virginica."""
    rows = list(csv.reader(open(DATA + "iris.csv")))[1:]
    rows = [row for i, row in enumerate(rows) if i >= 100 or (i >= 50 and i % 2 == 0)]
    return np.array([[float(v) for v in row[:4]] for row in rows]), np.array([row[4] for row in rows])


x, y = two_kinds()
for weights in (None, "balanced"):
    fit = LogisticRegression(C=1.0, tol=1e-14, max_iter=100000, class_weight=weights).fit(x, y)
    sign = np.where(y == fit.classes_[1], 1.0, -1.0)
    each = np.array([1.0 if weights is None else len(y) / (2 * sum(y == name)) for name in y])
    f = x @ fit.coef_[0] + fit.intercept_[0]
    print("logistic", weights, repr(float((each * np.logaddexp(0, -sign * f)).sum() + 0.5 * (fit.coef_**2).sum())))
    print("probabilities of the first", fit.predict_proba(x[:1])[0], "log loss", -fit.predict_log_proba(x)[np.arange(len(y)), (y == fit.classes_[1]).astype(int)].mean())
