"""Softmax and linear SVMs on Fashion-MNIST beside liblinear, scikit-learn and oneDAL: seconds to the same objective.

    python3 -m venv V && V/bin/pip install scikit-learn scikit-learn-intelex
    V/bin/python tests/benchmarks/linear.py build/dev/bin FOLDER [ROWS]

Kernmill, on two ranks, ends where it ends by default; a rival is run with ever smaller tolerances until its objective
is no more than a hundred thousandth above that, and the fit that got there counts alone. Two threads. Pixels are in
[0, 1]. Reading is nobody's time: a rival has the rows in memory, and of Kernmill it is what metrics.jsonl counts.
"""
import gzip
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

IMAGES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
PENALTY = 1.0

PEER = """
import sys, time, warnings, numpy as np
which, file, model, goal, penalty = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), float(sys.argv[5])
if which == "onedal":
    from sklearnex import patch_sklearn; patch_sklearn(verbose=False)
warnings.simplefilter("ignore")
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
data = np.load(file); x, y = data["x"], data["y"]
def objective(m):
    w = m.coef_; z = x @ w.T + m.intercept_
    if model == "softmax":
        top = z.max(1, keepdims=True)
        return (np.log(np.exp(z - top).sum(1)) + top[:, 0] - z[np.arange(len(y)), y]).sum() + penalty / 2 * (w ** 2).sum()
    sign = np.where(y[:, None] == np.arange(z.shape[1]), 1, -1)
    return (np.maximum(0, 1 - sign * z) ** 2).sum() + 0.5 * ((w ** 2).sum() + (m.intercept_ ** 2).sum())
for tolerance in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
    if model == "softmax":
        m = LogisticRegression(C=1 / penalty, tol=tolerance, max_iter=20000, solver="newton-cg" if which == "newton-cg" else "lbfgs")
    else:
        m = LinearSVC(C=1.0, dual=which == "liblinear-dual", tol=tolerance, max_iter=20000, intercept_scaling=1.0)
    start = time.perf_counter(); m.fit(x, y); took = time.perf_counter() - start
    value = objective(m)
    if value <= goal * (1 + 1e-5): break
    if took > 600: break
print(took, value)
"""


def rows_of(count):
    with gzip.open(IMAGES) as images, gzip.open(IMAGES.replace("images-idx3", "labels-idx1")) as labels:
        x = np.frombuffer(images.read(), np.uint8, offset=16).reshape(-1, 784) / 255.0
        y = np.frombuffer(labels.read(), np.uint8, offset=8).astype(np.int64)
    return x[:count], y[:count]


def kernmill(bin_dir, folder, model):
    kind = {"softmax": f"{{type: softmax, l2: {PENALTY}}}", "svm": "{type: linear_svm, C: 1.0, regularize_bias: true}"}[model]
    (folder / "bench.yaml").write_text(f"""
name: bench
defaults: {{resources: {{ntasks: 2, time: 60m, mem: 4G}}}}
stages:
  prepare: {{task: preprocess, input: rows.npy, labels: labels.npy, target: label}}
  fit: {{task: train, data: prepare, model: {kind}}}
""")
    subprocess.run([str(bin_dir / "kernmill"), "run", str(folder / "bench.yaml"), "--no-cache"], check=True,
                   stdout=subprocess.DEVNULL)
    newest = max((folder / "runs").glob("bench-*"), key=os.path.getmtime)
    attempt = next(newest.glob("stages/fit/0/attempt-1"))
    lines = [json.loads(line) for line in (attempt / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "seconds" in line]
    result = json.loads((attempt / "result.json").read_text())["metrics"]
    return sum(line["seconds"] - line.get("input_seconds", 0) for line in steps), result["objective"], result["iterations"]


def peer(which, file, model, goal):
    env = dict(os.environ, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    out = subprocess.run([sys.executable, "-c", PEER, which, str(file), model, str(goal), str(PENALTY)], env=env, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split()
    return float(out[0]), float(out[1])


def main():
    bin_dir, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    x, y = rows_of(int(sys.argv[3]) if len(sys.argv) > 3 else 60_000)
    np.save(folder / "rows.npy", x)
    np.save(folder / "labels.npy", y)
    np.savez(folder / "rows.npz", x=x, y=y)
    for model, rivals in (("softmax", ("lbfgs", "newton-cg", "onedal")), ("svm", ("liblinear", "liblinear-dual"))):
        seconds, goal, iterations = kernmill(bin_dir, folder, model)
        print(f"{model:8} {len(x)} rows  kernmill        {seconds:8.2f} s  objective {goal:.6f}  ({iterations} iterations)", flush=True)
        for which in rivals:
            took, value = peer(which, folder / "rows.npz", model, goal)
            print(f"{model:8} {len(x)} rows  {which:14}  {took:8.2f} s  objective {value:.6f}  {took / seconds:.2f} times as long",
                  flush=True)


if __name__ == "__main__":
    main()
