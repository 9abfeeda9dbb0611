"""k-means on 200,000 x 16, k = 64, beside scikit-learn and its oneDAL patch: milliseconds an iteration, in turn.

    python3 -m venv V && V/bin/pip install scikit-learn==1.9.* scikit-learn-intelex
    OPENBLAS_NUM_THREADS=1 V/bin/python tests/benchmarks/kmeans.py build/dev/bin FOLDER

What an iteration takes is the difference of runs of 1 and of 51, from random rows: nobody's start counts. Two ranks,
two threads. `blobs` are 64 clusters that overlap, `noise` has none.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy as np

ROUNDS, FEW, MANY, K = 5, 1, 51, 64


def data_of(name):
    random = np.random.RandomState(0)
    rows = random.normal(size=(200_000, 16))
    return rows + 2.0 * random.normal(size=(K, 16))[random.randint(K, size=len(rows))] if name == "blobs" else rows


def main():
    bin_dir, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    for name in ("blobs", "noise"):
        np.save(folder / f"{name}.npy", data_of(name))
        measure(bin_dir, folder, name)


def workflow(name, iterations, seed):
    return f"""
name: bench
defaults: {{resources: {{ntasks: 2, time: 10m, mem: 1G}}}}
stages:
  prepare: {{task: preprocess, input: {name}.npy}}
  fit:
    task: train
    data: prepare
    model: {{type: kmeans, k: {K}, tolerance: 0, max_iterations: {iterations}}}
    seed: {seed}
"""


def kernmill(bin_dir, folder, name, iterations, seed):
    file = folder / "bench.yaml"
    file.write_text(workflow(name, iterations, seed))  # another seed: nothing is cached
    subprocess.run([str(bin_dir / "kernmill"), "run", str(file)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    newest = max((folder / "runs").glob("bench-*"), key=os.path.getmtime)
    return json.loads(next(newest.glob("stages/fit/0/attempt-1/result.json")).read_text())["seconds"]


PEER = """
import sys, time, numpy as np
if sys.argv[1] == "onedal":
    from sklearnex import patch_sklearn; patch_sklearn(verbose=False)
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
rows = np.load(sys.argv[2])
init = rows[np.random.RandomState(1).choice(len(rows), 64, replace=False)]
algorithm = "elkan" if sys.argv[1] == "elkan" else "lloyd"
def fit(n):
    start = time.perf_counter()
    model = KMeans(64, init=init, n_init=1, max_iter=n, tol=0, algorithm=algorithm).fit(rows)
    return time.perf_counter() - start, model.n_iter_
import warnings; warnings.simplefilter("ignore")
fit(2)
few, many = fit(1), fit(51)
print(1000 * (many[0] - few[0]) / (many[1] - few[1]))
"""


def peer(which, folder, name):
    env = dict(os.environ, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    return float(subprocess.run([sys.executable, "-c", PEER, which, str(folder / f"{name}.npy")], env=env, check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout)


def measure(bin_dir, folder, name):
    times = {"kernmill": [], "scikit-learn": [], "elkan": [], "onedal": []}
    for seed in range(ROUNDS):
        few, many = (kernmill(bin_dir, folder, name, n, seed) for n in (FEW, MANY))
        times["kernmill"].append(1000 * (many - few) / (MANY - FEW))
        for which in ("scikit-learn", "elkan", "onedal"):
            times[which].append(peer(which, folder, name))
    for which, values in times.items():
        print(f"{name:6} {which:12} median {statistics.median(values):7.2f} ms  fastest {min(values):7.2f} ms", flush=True)


if __name__ == "__main__":
    main()
