"""The objectives of learn_sparse_test.cpp, by scikit-learn and liblinear: python3 reference_words.py"""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC


def draws():
    state = 2026
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def words(rows, features):
    draw = draws()
    entries, classes, numbers = [], [], []
    for i in range(rows):
        row = {}
        for _ in range(5 + next(draw) % 20):
            x = next(draw) / 2147483648.0
            row[int(features * (x * x * x))] = (1 + next(draw) % 8) / 8
        score = 0.0
        for column in sorted(row):
            entries.append((i, column, row[column]))
            score += (column * 2654435761 % 1000 / 500 - 1) * row[column]
        numbers.append(2 * score + next(draw) % 100 / 100)
        score += next(draw) % 100 / 100 - 0.5
        classes.append(0 if score < -0.5 else 1 if score < 0.5 else 2)
    i, j, v = zip(*entries)
    return csr_matrix((v, (i, j)), shape=(rows, features)), np.array(classes), np.array(numbers)


x, y, z = words(600, 2000)
train = np.arange(600) % 5 != 4
x, y, z = x[train], y[train], z[train]
print("rows", x.shape, "entries", x.nnz, "classes", np.bincount(y))

fit = LogisticRegression(C=1.0, tol=1e-10, max_iter=100000).fit(x, y)
s = x @ fit.coef_.T + fit.intercept_
top = s.max(axis=1, keepdims=True)
loss = (np.log(np.exp(s - top).sum(axis=1)) + top[:, 0] - s[np.arange(len(y)), y]).sum()
print(f"softmax, l2 1: {loss + 0.5 * (fit.coef_ ** 2).sum():.10f}")

fit = LinearSVC(C=1.0, loss="squared_hinge", dual=False, tol=1e-10, max_iter=10000).fit(x, y)
for k in range(3):
    sign = np.where(y == k, 1.0, -1.0)
    margin = np.maximum(0, 1 - sign * (x @ fit.coef_[k] + fit.intercept_[k]))
    print(f"squared hinge, C 1, class {k}: "
          f"{(margin ** 2).sum() + 0.5 * ((fit.coef_[k] ** 2).sum() + fit.intercept_[k] ** 2):.8f}")

# mean squared error + l2 |w|^2: scikit-learn's alpha is l2 times the rows
n = len(z)
fit = Ridge(alpha=0.01 * n, solver="lsqr", tol=1e-14, max_iter=100000).fit(x, z)
error = x @ fit.coef_ + fit.intercept_ - z
print(f"ridge, l2 0.01: {(error ** 2).mean() + 0.01 * (fit.coef_ ** 2).sum():.12f}")
