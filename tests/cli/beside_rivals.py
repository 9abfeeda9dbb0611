#!/usr/bin/env python3
"""Kernmill beside scikit-learn, liblinear and libsvm as Debian packages them, on the same numbers.

beside_rivals.py KERNMILL          (python3-sklearn, python3-h5py, liblinear-tools, libsvm-tools)

Writes each data set as a table, has one `kernmill run` train on all of them and judge, trains the rivals on the same
numbers, and prints ours, theirs and the relative difference. An objective is computed here, by one formula of our
parameters (model.h5) and of the rival's; what Kernmill says of itself is compared with that. Exit status 1: there is a
line for each difference beyond its tolerance; 77: a rival is not installed. With KERNMILL_LONG=1 there are more images.
"""
import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

# scikit-learn 1.2.1's k-means gives another result now and then when it has several threads.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
try:
    import h5py
    import numpy as np
    import sklearn
    from sklearn import cluster, datasets, decomposition, linear_model, svm
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-sklearn, python3-h5py)")
    sys.exit(77)

FASHION = "/usr/share/datasets/fashion-mnist/train-{}-ubyte.gz"
CONVEX = 1e-6   # of objectives with one minimum, where both sides stop at a gap or gradient far below it
DECISIONS = 1e-5  # of functions that both find to a violation of 1e-7, of rows that libsvm's model keeps to 8 digits
EXACT = 1e-9    # of what follows from the same numbers by sums alone: rounding


class Data:
    """A table that both sides read: rows i with i % 5 == 4 are those of the test, all others train."""

    def __init__(self, name, x, y, numbers=False, scale="standard", weights=None):
        test = np.arange(len(y)) % 5 == 4
        if scale == "standard":
            deviation = x[~test].std(0)
            x = (x - x[~test].mean(0)) / np.where(deviation == 0, 1, deviation)
        if numbers:
            y = (y - y[~test].mean()) / y[~test].std()
        self.name, self.numbers, self.all = name, numbers, (x, y)
        self.x, self.y, self.test_x, self.test_y = x[~test], y[~test], x[test], y[test]
        self.classes = [] if numbers else sorted(set(y))
        self.weights, self.w = weights, np.ones(len(self.y)) if weights is None else weights[~test]

    def with_ones(self):
        """A bias that is regularised is the weight of a column of ones."""
        return np.column_stack([self.x, np.ones(len(self.x))])

    def right_share(self, weights, bias):
        """Of the test rows, by the largest of one function for each class."""
        return (np.array(self.classes)[(self.test_x @ weights + bias).argmax(1)] == self.test_y).mean()

    def one_hot(self):
        return np.array([self.y == label for label in self.classes]).T.astype(float)

    def signs(self, of=None):
        """+1 for rows of a class, -1 for all others."""
        return np.where(self.y == (self.classes[-1] if of is None else of), 1.0, -1.0)


def fashion(every):
    """Every so many-th training image, as 256ths, which are the same number everywhere."""
    images = np.frombuffer(gzip.open(FASHION.format("images-idx3")).read(), np.uint8)[16:].reshape(-1, 784)[::every]
    labels = np.frombuffer(gzip.open(FASHION.format("labels-idx1")).read(), np.uint8)[8:][::every]
    return Data(f"fashion_{len(labels)}", images / 256.0, labels.astype(int), scale="none")


def shipped(name, weighted=False):
    """Weighted: every 11th row counts nothing, the others up to 2.5."""
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    weights = np.arange(len(y)) * 7 % 11 / 4 if weighted else None
    return Data(f"{name}_weighted" if weighted else name, x, y, numbers=name == "diabetes", weights=weights)


class Study:
    """One workflow of many trainings, what they left, and the table of comparisons."""

    def __init__(self, kernmill, folder):
        self.kernmill, self.folder = os.path.abspath(kernmill), folder
        self.stages, self.rows, self.misses = {}, [], []

    def prepare(self, data):
        stage = data.name
        if stage in self.stages:
            return stage
        for part, (x, y) in {"": data.all, ".test": (data.test_x, None)}.items():
            names = [f"c{i}" for i in range(x.shape[1])] + ([] if y is None else ["y"])
            columns = x if y is None else np.column_stack([x, y])
            if y is not None and data.weights is not None:
                names, columns = names + ["w"], np.column_stack([columns, data.weights])
            np.savetxt(f"{self.folder}/{stage}{part}.csv", columns, "%.17g", ",", header=",".join(names), comments="")
        self.stages[stage] = {"task": "preprocess", "input": f"{stage}.csv", "split": {"every": 5, "offset": 4},
                              "target": {"column": "y", "type": "number" if data.numbers else "class"},
                              **({} if data.weights is None else {"sample_weight": "w"})}
        return stage

    def train(self, name, data, model, also=(), **settings):
        """Adds a training; `also`: evaluate and deploy, of the test rows."""
        prepared = self.prepare(data)
        self.stages[name] = {"task": "train", "data": prepared, "model": model, **settings}
        if "evaluate" in also:
            self.stages[name + "_score"] = {"task": "evaluate", "model": name, "data": prepared}
        if "deploy" in also:
            self.stages[name + "_deployed"] = {"task": "deploy", "model": name, "input": data.name + ".test.csv"}

    def run(self):
        flow = {"name": "beside", "defaults": {"resources": {"ntasks": 2}}, "stages": self.stages}
        with open(f"{self.folder}/beside.yaml", "w") as file:
            json.dump(flow, file, indent=1)  # which is YAML
        self.ask("run", "beside.yaml", "--quiet")
        results = json.loads(self.ask("results", "last", "--json"))
        self.metrics = {stage["name"]: stage["instances"][0]["metrics"] for stage in results["stages"]
                        if "metrics" in stage["instances"][0]}
        self.root = f"{self.folder}/runs/{results['run']}/stages"

    def ask(self, *words):
        done = subprocess.run([self.kernmill, *words, "--runs", "runs"], cwd=self.folder, capture_output=True,
                              text=True)
        if done.returncode != 0:
            sys.exit(f"kernmill {words[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def tensors(self, name):
        with h5py.File(f"{self.root}/{name}/0/attempt-1/model.h5") as file:
            return {key: file["parameters"][key][:] for key in file["parameters"]}

    def linear(self, name):
        """Weights (features x outputs) and biases of a linear model."""
        tensors = self.tensors(name)
        return tensors["layer_0_weights"], tensors["layer_0_bias"]

    def predictions(self, name, column):
        with open(f"{self.root}/{name}_deployed/0/attempt-1/predictions.csv") as file:
            return np.array([float(row[column]) for row in csv.DictReader(file)])

    def objective(self, name, rival, formula, theirs, metric="objective"):
        """Of a convex problem, by a formula of weights and biases."""
        ours = formula(*self.linear(name))
        self.compare(name, metric, rival, ours, formula(*theirs), CONVEX, one_by_one=True)
        self.compare(name, metric, "its own metric", self.metrics[name][metric], ours, EXACT, one_by_one=True)

    def accuracy(self, name, rival, theirs):
        self.compare(name, "test accuracy", rival, self.metrics[name + "_score"]["accuracy"], theirs, 0)

    def agree(self, name, what, rival, ours, theirs):
        self.compare(name, what + " that agree", rival, (ours == theirs).sum(), len(theirs), 0)

    def compare(self, name, what, rival, ours, theirs, tolerance, one_by_one=False):
        """Numbers, or arrays: the largest difference, relative to the rival's largest number, or to the same one."""
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        scale = np.abs(theirs) if one_by_one else np.max(np.abs(theirs))
        difference = np.inf
        if ours.shape == theirs.shape:
            difference = np.max(np.abs(ours - theirs) / np.where(scale > 0, scale, 1))
        shown = [np.abs(values).max() if values.ndim else float(values) for values in (ours, theirs)]
        self.rows.append((name, what, rival, *shown, difference, tolerance))
        if not difference <= tolerance:
            self.misses.append(f"{name}: {what} is {shown[0]:.10g}, and by {rival} {shown[1]:.10g}: they differ by "
                               f"{difference:.2g}, and {tolerance:.0e} is allowed")

    def table(self):
        heads = ("model", "what", "rival", "ours", "theirs", "difference", "allowed")
        lines = [heads] + [(*words, f"{ours:.10g}", f"{theirs:.10g}", f"{difference:.1e}", f"{tolerance:.0e}")
                           for *words, ours, theirs, difference, tolerance in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


# What is minimised, of weights (features x outputs), biases and the rows of `data`.

def cross_entropies(data, weights, bias, l2):
    z = data.x @ weights + bias
    top = z.max(1, keepdims=True)
    losses = top[:, 0] + np.log(np.exp(z - top).sum(1)) - (z * data.one_hot()).sum(1)
    return data.w @ losses + l2 / 2 * (weights**2).sum()


def logistic_losses(data, weights, bias, l2, l2_bias=0.0):
    f = data.x @ weights[:, 0] + bias[0]
    return data.w @ np.logaddexp(0, -data.signs() * f) + l2 / 2 * (weights**2).sum() + l2_bias / 2 * bias[0] ** 2


def margins(data, weights, bias, C, power, l2_bias=1.0):
    """One class against all others, one objective each."""
    f = data.x @ weights + bias
    return [0.5 * (weights[:, k] @ weights[:, k] + l2_bias * bias[k] ** 2) +
            C * data.w @ np.maximum(0, 1 - data.signs(label) * f[:, k]) ** power for k, label in enumerate(data.classes)]


def beyond_epsilon(data, weights, bias, C, epsilon, power, l2_bias=1.0):
    away = np.maximum(0, np.abs(data.x @ weights[:, 0] + bias[0] - data.y) - epsilon)
    return 0.5 * (weights[:, 0] @ weights[:, 0] + l2_bias * bias[0] ** 2) + C * data.w @ away**power


def squares(data, weights, bias, l1, l2):
    away = data.x @ weights[:, 0] + bias[0] - data.y
    return np.average(away**2, weights=data.w) + l2 * (weights**2).sum() + l1 * np.abs(weights).sum()


def rbf(a, b, gamma):
    return np.exp(-gamma * np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0))


# The rivals' programs.

def rows_file(study, data):
    """Class by class, since the rivals number classes as they come."""
    path = f"{study.folder}/{data.name}.rows"
    if not os.path.exists(path):
        order = np.arange(len(data.y)) if data.numbers else np.argsort(data.y, kind="stable")
        datasets.dump_svmlight_file(data.x[order], data.y[order], path, zero_based=False)
        datasets.dump_svmlight_file(data.test_x, data.test_y, path + ".test", zero_based=False)
    return path


def liblinear(study, data, *options):
    """`liblinear-train`: weights (features x outputs) and biases, in the order of the classes."""
    model = f"{study.folder}/{data.name}.linear"
    subprocess.run(["liblinear-train", "-q", "-B", "1", *options, rows_file(study, data), model], check=True)
    weights = np.array([[float(v) for v in line.split()] for line in open(model).read().split("\nw\n")[1].splitlines()])
    if len(data.classes) == 2:  # one function, positive for the first of them
        weights = np.column_stack([weights[:, 0], -weights[:, 0]])
    unseen = data.x.shape[1] - (len(weights) - 1)  # columns at the end that are 0 in every row
    return np.pad(weights[:-1], ((0, unseen), (0, 0))), weights[-1]


class Libsvm:
    """`svm-train` and `svm-predict`; what they leave as `tensors`, laid out as our model's."""

    def __init__(self, study, data, *options):
        path, model = rows_file(study, data), f"{study.folder}/{data.name}.svm"
        told = subprocess.run(["svm-train", "-e", "1e-7", *options, path, model], check=True, capture_output=True,
                              text=True).stdout
        self.objective = float(re.search("obj = ([^,]+),", told)[1])  # of the first pair
        head, body = open(model).read().split("\nSV\n")
        head = {line.split()[0]: np.array(line.split()[1:]) for line in head.splitlines()}
        lines = [line.split() for line in body.splitlines()]
        rows = np.zeros((len(lines), data.x.shape[1]))
        for row, fields in zip(rows, lines):
            for index, value in (field.split(":") for field in fields if ":" in field):
                row[int(index) - 1] = float(value)
        self.tensors = {"support_vectors": rows, "biases": head["rho"].astype(float),
                        "coefficients": np.array([[float(v) for v in fields if ":" not in v] for fields in lines])}
        if "nr_sv" in head:
            self.tensors["per_class"] = head["nr_sv"].astype(float)
        subprocess.run(["svm-predict", "-q", path + ".test", model, model + ".out"], check=True)
        self.predictions = np.loadtxt(model + ".out")


def pairs_of(tensors):
    """Of each two classes (0, 1), (0, 2), ..., (1, 2), ...: their support vectors, and what those count for."""
    ends, coefficients = np.cumsum([0, *tensors["per_class"].astype(int)]), tensors["coefficients"]
    for a in range(len(ends) - 1):
        for b in range(a + 1, len(ends) - 1):
            i, j = np.arange(ends[a], ends[a + 1]), np.arange(ends[b], ends[b + 1])
            yield tensors["support_vectors"][np.r_[i, j]], np.r_[coefficients[i, b - 1], coefficients[j, a]]


def duals(tensors, gamma):
    """What each pair minimises, of multipliers with their rows' signs."""
    return [0.5 * y @ rbf(rows, rows, gamma) @ y - np.abs(y).sum() for rows, y in pairs_of(tensors)]


def decisions(tensors, x, gamma):
    """Positive for the lower of two classes."""
    return np.array([rbf(x, rows, gamma) @ y - bias for (rows, y), bias in zip(pairs_of(tensors), tensors["biases"])])


# What is compared: each asks for its trainings, and goes on when the workflow has run.

def softmax(study, data, l2):
    name = f"{data.name}_softmax"
    study.train(name, data, {"type": "softmax", "l2": l2}, also=["evaluate"])
    yield
    fit = linear_model.LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-10, max_iter=1000).fit(data.x, data.y)
    study.objective(name, "scikit-learn", lambda weights, bias: cross_entropies(data, weights, bias, l2),
                    (fit.coef_.T, fit.intercept_))
    study.accuracy(name, "scikit-learn", fit.score(data.test_x, data.test_y))


def logistic(study, data, l2):
    name, with_bias = f"{data.name}_logistic", f"{data.name}_logistic_bias"
    study.train(name, data, {"type": "logistic", "l2": l2}, also=["evaluate"])
    study.train(with_bias, data, {"type": "logistic", "l2": l2, "regularize_bias": True}, also=["evaluate"])
    yield
    fit = linear_model.LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-10, max_iter=1000).fit(data.x, data.y)
    study.objective(name, "scikit-learn", lambda weights, bias: logistic_losses(data, weights, bias, l2),
                    (fit.coef_.T, fit.intercept_))
    study.accuracy(name, "scikit-learn", fit.score(data.test_x, data.test_y))
    weights, bias = liblinear(study, data, "-s", "0", "-c", repr(1 / l2), "-e", "1e-9")
    study.objective(with_bias, "liblinear", lambda weights, bias: logistic_losses(data, weights, bias, l2, l2),
                    (weights[:, 1:], bias[1:]))
    study.accuracy(with_bias, "liblinear", data.right_share(weights, bias))


def linear_svm(study, data, C, loss):
    name, squared = f"{data.name}_{loss}", loss == "squared_hinge"
    study.train(name, data, {"type": "linear_svm", "C": C, "loss": loss}, also=["evaluate"])
    yield
    if squared:  # the primal by Newton's method
        rival, (weights, bias) = "liblinear", liblinear(study, data, "-s", "2", "-c", repr(C), "-e", "1e-9")
    else:  # the dual by coordinate descent, which liblinear-train would end after 1000 iterations
        fits = [svm.LinearSVC(loss="hinge", C=C, tol=1e-10, max_iter=10**7, fit_intercept=False, random_state=0)
                .fit(data.with_ones(), data.signs(label)) for label in data.classes]
        weights = np.array([fit.coef_[0] for fit in fits]).T
        rival, weights, bias = "scikit-learn (liblinear)", weights[:-1], weights[-1]
    study.objective(name, rival, lambda weights, bias: margins(data, weights, bias, C, 2 if squared else 1),
                    (weights, bias), metric="objective_per_class")
    study.accuracy(name, rival, data.right_share(weights, bias))


def hinge_without_bias(study, data, C):
    name = f"{data.name}_hinge_bias_free"
    study.train(name, data, {"type": "linear_svm", "C": C, "loss": "hinge", "regularize_bias": False})
    yield
    # The dual's minimum is the primal's, with the other sign.
    fit = Libsvm(study, data, "-t", "0", "-c", repr(C))
    study.compare(name, "objective_per_class", "libsvm", margins(data, *study.linear(name), C, 1, 0.0),
                  [-fit.objective] * 2, CONVEX)


def linear_svr(study, data, C, epsilon):
    name, squared, free = (f"{data.name}_{what}" for what in ("svr", "squared_svr", "svr_bias_free"))
    model = {"type": "linear_svr", "C": C, "epsilon": epsilon}
    study.train(name, data, model, also=["evaluate"])
    study.train(squared, data, {**model, "loss": "squared_epsilon_insensitive"}, also=["evaluate"])
    study.train(free, data, {**model, "regularize_bias": False})
    yield
    fit = svm.LinearSVR(epsilon=epsilon, C=C, tol=1e-10, max_iter=10**7, fit_intercept=False, random_state=0)
    weights = fit.fit(data.with_ones(), data.y).coef_[:, None]
    study.objective(name, "scikit-learn (liblinear)", lambda w, bias: beyond_epsilon(data, w, bias, C, epsilon, 1),
                    (weights[:-1], weights[-1]))
    weights, bias = liblinear(study, data, "-s", "11", "-c", repr(C), "-p", repr(epsilon), "-e", "1e-9")
    study.objective(squared, "liblinear", lambda w, bias: beyond_epsilon(data, w, bias, C, epsilon, 2), (weights, bias))
    rmse = np.sqrt(((data.test_x @ weights[:, 0] + bias[0] - data.test_y) ** 2).mean())
    study.compare(squared, "test rmse", "liblinear", study.metrics[squared + "_score"]["rmse"], rmse, CONVEX)
    fit = Libsvm(study, data, "-s", "3", "-t", "0", "-c", repr(C), "-p", repr(epsilon))
    study.compare(free, "objective", "libsvm", beyond_epsilon(data, *study.linear(free), C, epsilon, 1, 0.0),
                  -fit.objective, CONVEX)


def least_squares(study, data, kind, l1, l2, rival):
    name = f"{data.name}_{kind}"
    study.train(name, data, {"type": "linear_regression", "l2": l2, **({"l1": l1} if l1 else {})}, also=["evaluate"])
    yield
    fit = rival.fit(data.x, data.y)
    study.objective(name, "scikit-learn", lambda weights, bias: squares(data, weights, bias, l1, l2),
                    (fit.coef_[:, None], np.array([fit.intercept_])))
    if l1:
        study.compare(name, "weights that are zero", "scikit-learn", (study.linear(name)[0] == 0).sum(),
                      (fit.coef_ == 0).sum(), 0)
    study.compare(name, "test r2", "scikit-learn", study.metrics[name + "_score"]["r2"],
                  fit.score(data.test_x, data.test_y), CONVEX)


def penalised(study, data):
    """Least squares, ridge, lasso and elastic net, with scikit-learn's alpha as tasks/README.md translates it."""
    n, exact = len(data.y), {"tol": 1e-14, "max_iter": 10**6}
    yield least_squares(study, data, "least_squares", 0, 0, linear_model.LinearRegression())
    yield least_squares(study, data, "ridge", 0, 0.05, linear_model.Ridge(alpha=0.05 * n, tol=1e-14))
    yield least_squares(study, data, "lasso", 0.1, 0, linear_model.Lasso(alpha=0.05, **exact))
    yield least_squares(study, data, "elastic_net", 2 * 0.1 * 0.4, 0.1 * 0.6,
                        linear_model.ElasticNet(alpha=0.1, l1_ratio=0.4, **exact))


def kernel_svm(study, data, C):
    name, gamma = f"{data.name}_rbf", 1 / data.x.shape[1]
    model = {"type": "kernel_svm", "gamma": gamma, "C": C, "tolerance": 1e-7}
    study.train(name, data, model, also=["evaluate", "deploy"])
    yield
    fit, ours = Libsvm(study, data, "-t", "2", "-g", repr(gamma), "-c", repr(C)), study.tensors(name)
    dual = duals(ours, gamma)
    study.compare(name, "objective_per_pair", "libsvm", dual, duals(fit.tensors, gamma), CONVEX, one_by_one=True)
    study.compare(name, "objective_per_pair", "its own metric", study.metrics[name]["objective_per_pair"], dual, EXACT)
    study.compare(name, "support vectors of each class", "libsvm", ours["per_class"], fit.tensors["per_class"], 0)
    study.compare(name, "test decisions", "libsvm", decisions(ours, data.test_x, gamma),
                  decisions(fit.tensors, data.test_x, gamma), DECISIONS)
    study.agree(name, "test predictions", "libsvm", study.predictions(name, "prediction"), fit.predictions)
    study.accuracy(name, "libsvm", (fit.predictions == data.test_y).mean())


def kmeans(study, data, k):
    """From the same centers: those after our first iteration."""
    name, start = f"{data.name}_kmeans", f"{data.name}_kmeans_start"
    study.train(start, data, {"type": "kmeans", "k": k, "max_iterations": 1})
    study.train(name, data, {"type": "kmeans", "k": k, "tolerance": 0}, also=["deploy"], start_from=start)
    yield
    begin, centers = study.tensors(start)["centers"], study.tensors(name)["centers"]
    fit = cluster.KMeans(k, init=begin, n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(data.x)
    ours = ((data.x[:, None] - centers) ** 2).sum(2).min(1).sum()
    study.compare(name, "inertia", "scikit-learn", ours, fit.inertia_, EXACT)
    study.compare(name, "inertia", "its own metric", study.metrics[name]["inertia"], ours, EXACT)
    study.compare(name, "centers", "scikit-learn", centers, fit.cluster_centers_, EXACT)
    study.agree(name, "test clusters", "scikit-learn", study.predictions(name, "cluster"), fit.predict(data.test_x))


def pca(study, data, count):
    name = f"{data.name}_pca"
    study.train(name, data, {"type": "pca", "components": count}, also=["evaluate"])
    yield
    fit, components = decomposition.PCA(count, svd_solver="full").fit(data.x), study.tensors(name)["components"]
    study.compare(name, "variances of projections", "scikit-learn", (data.x @ components.T).var(0, ddof=1),
                  fit.explained_variance_, EXACT)
    study.compare(name, "explained_variance_ratio", "scikit-learn", study.metrics[name]["explained_variance_ratio"],
                  fit.explained_variance_ratio_, EXACT)
    study.compare(name, "components up to a sign", "scikit-learn", np.abs((components * fit.components_).sum(1)),
                  np.ones(count), EXACT)
    back = fit.inverse_transform(fit.transform(data.test_x))
    study.compare(name, "test reconstruction_error", "scikit-learn",
                  study.metrics[name + "_score"]["reconstruction_error"], ((data.test_x - back) ** 2).sum(1).mean(),
                  EXACT)


# Rows with weights, where scikit-learn takes a `sample_weight`.

def weighted_classes(study, data, l2):
    name = f"{data.name}_softmax"
    study.train(name, data, {"type": "softmax", "l2": l2}, also=["evaluate"])
    yield
    fit = linear_model.LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-10, max_iter=1000)
    fit.fit(data.x, data.y, sample_weight=data.w)
    study.objective(name, "scikit-learn", lambda weights, bias: cross_entropies(data, weights, bias, l2),
                    (fit.coef_.T, fit.intercept_))
    study.accuracy(name, "scikit-learn", fit.score(data.test_x, data.test_y))


def weighted_pair(study, data, C, k):
    """Two classes: logistic by several methods, support vector machines, and clusters."""
    for method in ("newton", "lbfgs"):
        study.train(f"{data.name}_{method}", data, {"type": "logistic", "l2": 1 / C}, optimizer=method)
    study.train(f"{data.name}_balanced", data, {"type": "logistic", "l2": 1 / C}, class_weight="balanced")
    for loss in ("squared_hinge", "hinge"):
        study.train(f"{data.name}_{loss}", data, {"type": "linear_svm", "C": C, "loss": loss})
    gamma, rbf_name, start, clusters = 1 / data.x.shape[1], *(f"{data.name}_{n}" for n in ("rbf", "start", "kmeans"))
    study.train(rbf_name, data, {"type": "kernel_svm", "gamma": gamma, "C": C, "tolerance": 1e-7})
    study.train(start, data, {"type": "kmeans", "k": k, "max_iterations": 1})
    study.train(clusters, data, {"type": "kmeans", "k": k, "tolerance": 0}, start_from=start)
    yield
    fit = linear_model.LogisticRegression(C=C, solver="newton-cg", tol=1e-10, max_iter=1000)
    fit.fit(data.x, data.y, sample_weight=data.w)
    for method in ("newton", "lbfgs"):
        study.objective(f"{data.name}_{method}", "scikit-learn", lambda w, bias: logistic_losses(data, w, bias, 1 / C),
                        (fit.coef_.T, fit.intercept_))
    fit.set_params(class_weight="balanced").fit(data.x, data.y, sample_weight=data.w)
    counts = np.bincount(data.y)
    both, data.w = data.w, data.w * (len(data.y) / (len(counts) * counts))[data.y]
    study.objective(f"{data.name}_balanced", "scikit-learn", lambda w, bias: logistic_losses(data, w, bias, 1 / C),
                    (fit.coef_.T, fit.intercept_))
    data.w = both
    for loss in ("squared_hinge", "hinge"):
        fits = [svm.LinearSVC(loss=loss, C=C, tol=1e-10, max_iter=10**7, fit_intercept=False, random_state=0)
                .fit(data.with_ones(), data.signs(label), sample_weight=data.w) for label in data.classes]
        weights = np.array([fit.coef_[0] for fit in fits]).T
        study.objective(f"{data.name}_{loss}", "scikit-learn (liblinear)",
                        lambda w, bias: margins(data, w, bias, C, 2 if loss == "squared_hinge" else 1),
                        (weights[:-1], weights[-1]), metric="objective_per_class")
    fit = svm.SVC(C=C, gamma=gamma, tol=1e-7).fit(data.x, data.y, sample_weight=data.w)
    theirs = {"support_vectors": fit.support_vectors_, "coefficients": fit.dual_coef_.T, "per_class": fit.n_support_}
    study.compare(rbf_name, "objective_per_pair", "scikit-learn (libsvm)", duals(study.tensors(rbf_name), gamma),
                  duals(theirs, gamma), CONVEX, one_by_one=True)
    begin, centers = study.tensors(start)["centers"], study.tensors(clusters)["centers"]
    fit = cluster.KMeans(k, init=begin, n_init=1, tol=0, max_iter=300, algorithm="lloyd")
    fit.fit(data.x, sample_weight=data.w)
    study.compare(clusters, "centers", "scikit-learn", centers, fit.cluster_centers_, EXACT)
    study.compare(clusters, "inertia", "scikit-learn", study.metrics[clusters]["inertia"], fit.inertia_, EXACT)


def weighted_numbers(study, data, C, epsilon):
    total, exact = data.w.sum(), {"tol": 1e-14, "max_iter": 10**6}
    for kind, l1, l2, rival in [("ridge", 0, 0.05, linear_model.Ridge(alpha=0.05 * total, tol=1e-14)),
                                ("least_squares", 0, 0, linear_model.LinearRegression()),
                                ("lasso", 0.1, 0, linear_model.Lasso(alpha=0.05, **exact)),
                                ("elastic_net", 0.08, 0.06, linear_model.ElasticNet(alpha=0.1, l1_ratio=0.4, **exact))]:
        yield weighted_squares(study, data, f"{data.name}_{kind}", l1, l2, rival)
    yield weighted_svr(study, data, C, epsilon)


def weighted_squares(study, data, name, l1, l2, rival):
    study.train(name, data, {"type": "linear_regression", "l2": l2, **({"l1": l1} if l1 else {})})
    yield
    fit = rival.fit(data.x, data.y, sample_weight=data.w)
    study.objective(name, "scikit-learn", lambda weights, bias: squares(data, weights, bias, l1, l2),
                    (fit.coef_[:, None], np.array([fit.intercept_])))


def weighted_svr(study, data, C, epsilon):
    powers = {"epsilon_insensitive": 1, "squared_epsilon_insensitive": 2}
    for loss in powers:
        study.train(f"{data.name}_{loss}", data, {"type": "linear_svr", "C": C, "epsilon": epsilon, "loss": loss})
    yield
    for loss, power in powers.items():
        fit = svm.LinearSVR(loss=loss, epsilon=epsilon, C=C, tol=1e-10, max_iter=10**7, fit_intercept=False,
                            random_state=0).fit(data.with_ones(), data.y, sample_weight=data.w)
        weights = fit.coef_[:, None]
        study.objective(f"{data.name}_{loss}", "scikit-learn (liblinear)",
                        lambda w, bias: beyond_epsilon(data, w, bias, C, epsilon, power), (weights[:-1], weights[-1]))


def comparisons(study, long):
    iris, wine, cancer, digits, diabetes = map(shipped, ("iris", "wine", "breast_cancer", "digits", "diabetes"))
    yield from (softmax(study, data, 1.0) for data in (iris, wine, digits))
    yield logistic(study, cancer, 1.0)
    yield from (linear_svm(study, data, 1.0, "squared_hinge") for data in (iris, wine, cancer, digits))
    yield from (linear_svm(study, data, 0.1, "hinge") for data in (iris, wine, cancer))
    yield hinge_without_bias(study, cancer, 1.0)
    yield linear_svr(study, diabetes, 1.0, 0.1)
    yield weighted_classes(study, shipped("iris", weighted=True), 1.0)
    yield weighted_pair(study, shipped("breast_cancer", weighted=True), 0.5, 4)
    yield from weighted_numbers(study, shipped("diabetes", weighted=True), 1.0, 0.1)
    yield from penalised(study, diabetes)
    for data in (iris, wine, cancer, digits):
        yield kernel_svm(study, data, 2.0)
        yield kmeans(study, data, len(data.classes))
        yield pca(study, data, 3)
    if not os.path.exists(FASHION.format("images-idx3")):
        return print("Fashion-MNIST is left out: the package dataset-fashion-mnist is not installed")
    images = fashion(10 if long else 60)
    yield softmax(study, images, 10.0)
    yield linear_svm(study, images, 0.01, "squared_hinge")
    yield kernel_svm(study, images, 2.0)
    yield kmeans(study, images, 10)
    yield pca(study, images, 10)


def main():
    for program in ("liblinear-train", "svm-train"):
        if shutil.which(program) is None:
            print(f"skipped: there is no {program} (Debian: liblinear-tools, libsvm-tools)")
            sys.exit(77)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        study = Study(sys.argv[1], folder)
        begun = list(comparisons(study, os.environ.get("KERNMILL_LONG") == "1"))
        for comparison in begun:
            next(comparison)
        study.run()
        for comparison in begun:
            next(comparison, None)
    print(f"scikit-learn {sklearn.__version__}\n{study.table()}")
    for miss in study.misses:
        print("MISS", miss)
    sys.exit(1 if study.misses else 0)


if __name__ == "__main__":
    main()
