#!/usr/bin/env python3
"""Objectives of scikit-learn's linear models at their minimum: learn_newton_test.cpp.

reference_linear.py          (with python3-sklearn; the numbers are those of 1.9)
"""

import csv
import os

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.svm import LinearSVC, LinearSVR

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

# Linear regression: the mean squared error and the penalties as Kernmill has them.
table = np.loadtxt(DATA + "linear_regression.csv", delimiter=",", skiprows=1)
X, t = table[:, :-1], table[:, -1]
n = len(t)


def objective(fit, l1, l2):
    return float(((t - fit.predict(X)) ** 2).mean() + l2 * (fit.coef_**2).sum() + l1 * abs(fit.coef_).sum())


print("ridge", repr(objective(Ridge(alpha=0.01 * n, tol=1e-14).fit(X, t), 0, 0.01)))
lasso = Lasso(alpha=0.001, tol=1e-14, max_iter=10**6).fit(X, t)
print("lasso", repr(objective(lasso, 0.002, 0)), "zeros", int((lasso.coef_ == 0).sum()))
# alpha = 0.002, l1_ratio = 0.3: l1 = 2 * 0.002 * 0.3, l2 = 0.002 * 0.7
net = ElasticNet(alpha=0.002, l1_ratio=0.3, tol=1e-14, max_iter=10**6).fit(X, t)
print("elastic net", repr(objective(net, 0.0012, 0.0014)), "zeros", int((net.coef_ == 0).sum()))
# Three columns, the last of which follows from the others, and one that is constant.
a, b = X[:50, 0], X[:50, 1]
singular = LinearRegression().fit(np.column_stack([a, b, a + 2 * b, np.full(50, 3.0)]), t[:50])
print("singular", singular.coef_.tolist(), singular.intercept_)

# Losses with corners: 1/2 ||w, b||^2 + C sum loss, C = 1, by bounded minimisation of the dual.
rows = [row for i, row in enumerate(list(csv.reader(open(DATA + "iris.csv")))[1:]) if i % 5 != 4]
x = np.array([[float(v) for v in row[:4]] for row in rows])
x = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(len(x))])
for name in ("setosa", "versicolor", "virginica"):
    sign = np.where(np.array([row[4] for row in rows]) == name, 1.0, -1.0)
    fit = LinearSVC(loss="hinge", C=1.0, tol=1e-10, max_iter=10**7, fit_intercept=False).fit(x, sign)
    w = fit.coef_[0]
    print("hinge", name, repr(float(0.5 * w @ w + np.maximum(0, 1 - sign * (x @ w)).sum())))
Xb = np.column_stack([X, np.ones(n)])
for loss in ("epsilon_insensitive", "squared_epsilon_insensitive"):
    fit = LinearSVR(epsilon=0.1, C=1.0, loss=loss, tol=1e-10, max_iter=10**7, fit_intercept=False).fit(Xb, t)
    beyond = np.maximum(0, abs(t - Xb @ fit.coef_) - 0.1)
    sum_of = (beyond**2 if loss.startswith("squared") else beyond).sum()
    print(loss, repr(float(0.5 * fit.coef_ @ fit.coef_ + sum_of)))


def huber(w):
    error = Xb @ w - t
    size = abs(error)
    loss = np.where(size > 0.2, 0.2 * (size - 0.1), 0.5 * error**2)
    gradient = Xb.T @ np.clip(error, -0.2, 0.2) / n
    gradient[:-1] += 2 * 0.01 * w[:-1]
    return loss.mean() + 0.01 * w[:-1] @ w[:-1], gradient


print("huber", repr(float(minimize(huber, np.zeros(11), jac=True, method="BFGS", options={"gtol": 1e-12}).fun)))
