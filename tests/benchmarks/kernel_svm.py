#!/usr/bin/env python3
"""kernel_svm beside scikit-learn's SVC (libsvm), in turn: seconds to train, and to train and predict the training rows.

kernel_svm.py KERNMILL_TASK [ROUNDS]          (with scikit-learn, mpiexec and the package dataset-fashion-mnist)

Both stop at libsvm's tolerance of 1e-3, with an RBF kernel and gamma "scale". kernmill-task is timed as a whole: it starts,
reads the dataset, trains, predicts the training rows, and writes the model.
"""

import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
from sklearn.svm import SVC

TASK, ROUNDS = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../workflows/data")
MNIST = "/usr/share/datasets/fashion-mnist/t10k-{}-ubyte.gz"


def digits():
    rows = list(csv.reader(open(os.path.join(DATA, "digits.csv"))))[1:]
    values = np.array(rows, dtype=float)
    return values[:, :-1], values[:, -1].astype(int)


def fashion():
    images = np.frombuffer(gzip.open(MNIST.format("images-idx3")).read(), np.uint8)[16:]
    labels = np.frombuffer(gzip.open(MNIST.format("labels-idx1")).read(), np.uint8)[8:]
    return images.reshape(10000, 784) / 255.0, labels.astype(int)


def task(directory, kind, stage, config, inputs, ranks=1):
    spec = {"schema_version": 1, "kind": kind, "run": "bench", "stage": stage, "instance": 0, "attempt": 1, "config": config,
            "inputs": inputs, "output_directory": f"{directory}/{stage}"}
    os.makedirs(f"{directory}/{stage}", exist_ok=True)
    json.dump(spec, open(f"{directory}/{stage}/spec.json", "w"))
    command = ["mpiexec", "-n", str(ranks)] if ranks > 1 else []
    start = time.perf_counter()
    subprocess.run(command + [TASK, kind, "--spec", f"{directory}/{stage}/spec.json"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, json.load(open(f"{directory}/{stage}/result.json"))["metrics"]


def prepare(directory, x, y):
    np.savetxt(f"{directory}/rows.csv", np.column_stack([x, y]), delimiter=",", fmt=["%.17g"] * x.shape[1] + ["%d"],
               header=",".join([f"c{i}" for i in range(x.shape[1])] + ["y"]), comments="")
    workflow = f"stages:\n  prepare: {{task: preprocess, input: {directory}/rows.csv, target: {{column: y, type: class}}}}\n"
    open(f"{directory}/w.yaml", "w").write(workflow)
    kernmill = os.path.join(os.path.dirname(TASK), "kernmill")
    subprocess.run([kernmill, "run", f"{directory}/w.yaml", "--runs", f"{directory}/runs"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    run = next(name for name in os.listdir(f"{directory}/runs") if name.startswith("w-"))
    return f"{directory}/runs/{run}/stages/prepare/0/attempt-1/dataset.h5"


def compare(name, x, y, C):
    with tempfile.TemporaryDirectory() as directory:
        data = prepare(directory, x, y)
        model = {"type": "kernel_svm", "kernel": "rbf", "gamma": "scale", "degree": 3, "coef0": 0.0, "C": C, "tolerance": 1e-3}
        config = {"model": model, "optimizer": {}, "seed": 0, "checkpoint": {"every": 100, "keep": 2}}
        times = {"fit": [], "fit and predict": [], 1: [], 2: []}
        for _ in range(ROUNDS):
            start = time.perf_counter()
            fit = SVC(C=C, cache_size=1000).fit(x, y)
            times["fit"].append(time.perf_counter() - start)
            accuracy = fit.score(x, y)
            times["fit and predict"].append(time.perf_counter() - start)
            for ranks in (1, 2):
                seconds, metrics = task(directory, "train", f"fit{ranks}", config, {"data": data}, ranks)
                times[ranks].append(seconds)
        print(f"{name}, {len(y)} x {x.shape[1]}, C = {C}: support vectors {fit.n_support_.sum()} and "
              f"{metrics['support_vectors']}, accuracy {accuracy:.4f} and {metrics['train_accuracy']:.4f}")
        for what, values in times.items():
            who = f"SVC {what}" if isinstance(what, str) else f"kernmill-task, ranks {what}"
            print(f"  {who:28} {statistics.median(values):8.3f} s   (fastest {min(values):.3f})")


compare("digits", *digits(), 1.0)
compare("Fashion-MNIST", *fashion(), 1.0)
