#!/usr/bin/env python3
"""The duals of scikit-learn's SVC (libsvm) at a tight tolerance: learn_kernel_svm_test.cpp.

reference_kernel_svm.py          (with scikit-learn; the numbers are those of 1.9)
"""

import csv
import os

import numpy as np
from sklearn.svm import SVC

DATA = os.path.join(os.path.dirname(__file__), "../../workflows/data")


def table(name, target):
    lines = list(csv.reader(open(os.path.join(DATA, name + ".csv"))))
    at = lines[0].index(target)
    features = np.array([[float(x) for i, x in enumerate(row) if i != at] for row in lines[1:]])
    return features, np.array([row[at] for row in lines[1:]])


def fold(name, target, k):
    """Rows i with i % 5 == k are those of the test; standardised by the others."""
    features, labels = table(name, target)
    test = np.arange(len(labels)) % 5 == k
    mean, deviation = features[~test].mean(0), features[~test].std(0)
    features = (features - mean) / np.where(deviation == 0, 1, deviation)
    return features[~test], labels[~test], features[test], labels[test]


def duals(fit, kernel):
    ends = np.cumsum(np.append(0, fit.n_support_))
    matrix = kernel(fit.support_vectors_)
    values = []
    for a in range(len(fit.classes_)):
        for b in range(a + 1, len(fit.classes_)):
            i = np.r_[ends[a] : ends[a + 1], ends[b] : ends[b + 1]]
            y = np.r_[fit.dual_coef_[b - 1, ends[a] : ends[a + 1]], fit.dual_coef_[a, ends[b] : ends[b + 1]]]
            values.append(0.5 * y @ matrix[np.ix_(i, i)] @ y - np.abs(y).sum())
    return values


def rbf(gamma):
    return lambda x: np.exp(-gamma * ((x[:, None, :] - x[None, :, :]) ** 2).sum(2))


def tell(title, fit, kernel, test):
    print(title, [float(f"{v:.12g}") for v in duals(fit, kernel)], "support vectors", fit.n_support_.sum(),
          "right", int((fit.predict(test[0]) == test[1]).sum()), "of", len(test[1]))


def one(name, target, title, of_rows, k=4, **settings):
    x, y, *test = fold(name, target, k)
    fit = SVC(tol=1e-9, cache_size=1000, **settings).fit(x, y)
    tell(f"{name} {title}", fit, of_rows or rbf(fit._gamma), test)


def few_flowers():
    """Of the first class every 5th flower, of the second every 2nd, of the third all."""
    x, y = table("iris", "species")
    kept = [i % (5, 2, 1)[i // 50] == 0 for i in range(len(y))]
    return x[kept], y[kept]


if __name__ == "__main__":
    one("iris", "species", "rbf", rbf(0.25), gamma=0.25)
    one("iris", "species", "polynomial", lambda x: (0.5 * x @ x.T + 1) ** 2, kernel="poly", gamma=0.5, coef0=1, degree=2,
        C=0.5)
    one("iris", "species", "linear", lambda x: x @ x.T, kernel="linear")
    x, y = few_flowers()
    tell("balanced", SVC(tol=1e-9, gamma=0.25, class_weight="balanced").fit(x, y), rbf(0.25), (x, y))
    one("digits", "digit", "C=10, scale", None, C=10, gamma="scale")
    for name, target in (("iris", "species"), ("digits", "digit")):
        for C in (1, 10):
            right = total = 0
            for k in range(5):
                x, y, test_x, test_y = fold(name, target, k)
                gamma = 0.25 if name == "iris" else "scale"
                right += (SVC(C=C, gamma=gamma).fit(x, y).predict(test_x) == test_y).sum()
                total += len(test_y)
            print(name, "pooled", C, right, total, right / total)
    # Odd digits and even ones.
    x, y, test_x, test_y = fold("digits", "digit", 4)
    odd = lambda labels: np.array([int(label) % 2 for label in labels])
    fit = SVC(tol=1e-9, C=10, gamma="auto").fit(x, odd(y))
    tell("parity", fit, rbf(1 / 64), (test_x, odd(test_y)))
