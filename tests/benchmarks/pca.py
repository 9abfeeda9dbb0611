"""PCA of Fashion-MNIST beside scikit-learn and its oneDAL patch: seconds to 50 components, in turn.

    python3 -m venv V && V/bin/pip install scikit-learn scikit-learn-intelex
    OPENBLAS_NUM_THREADS=1 V/bin/python tests/benchmarks/pca.py build/dev/bin FOLDER [ROWS]

Two ranks, two threads. A rival has the rows in memory; of Kernmill it is the whole training, less the time that the
same training of two of the columns and one component takes: start, reading, and the files that it leaves.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy as np

from linear import rows_of

ROUNDS, COMPONENTS = 5, 50

PEER = """
import sys, time, warnings, numpy as np
if sys.argv[1] == "onedal":
    from sklearnex import patch_sklearn; patch_sklearn(verbose=False)
warnings.simplefilter("ignore")
from sklearn.decomposition import PCA
x = np.load(sys.argv[2])
PCA(2, svd_solver="covariance_eigh").fit(x[:1000])
start = time.perf_counter()
m = PCA(int(sys.argv[3]), svd_solver="covariance_eigh").fit(x)
print(time.perf_counter() - start, m.explained_variance_ratio_.sum())
"""


def kernmill(bin_dir, folder, file, components, seed):
    (folder / "bench.yaml").write_text(f"""
name: bench
defaults: {{resources: {{ntasks: 2, time: 60m, mem: 4G}}}}
stages:
  prepare: {{task: preprocess, input: {file}}}
  fit: {{task: train, data: prepare, model: {{type: pca, components: {components}}}, seed: {seed}}}
""")  # another seed: nothing is cached
    subprocess.run([str(bin_dir / "kernmill"), "run", str(folder / "bench.yaml")], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    newest = max((folder / "runs").glob("bench-*"), key=os.path.getmtime)
    result = json.loads(next(newest.glob("stages/fit/0/attempt-1/result.json")).read_text())
    return result["seconds"], sum(result["metrics"]["explained_variance_ratio"])


def peer(which, file):
    env = dict(os.environ, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    out = subprocess.run([sys.executable, "-c", PEER, which, str(file), str(COMPONENTS)], env=env, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split()
    return float(out[0]), float(out[1])


def main():
    bin_dir, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    x, _ = rows_of(int(sys.argv[3]) if len(sys.argv) > 3 else 60_000)
    np.save(folder / "rows.npy", x)
    np.save(folder / "few.npy", x[:, 400:402])
    measured = {"kernmill": [], "covariance_eigh": [], "onedal": []}
    for seed in range(ROUNDS):
        (least, _), (most, share) = (kernmill(bin_dir, folder, *what, seed) for what in (("few.npy", 1), ("rows.npy", COMPONENTS)))
        measured["kernmill"].append((most - least, share))
        for which in ("covariance_eigh", "onedal"):
            measured[which].append(peer(which, folder / "rows.npy"))
    for which, values in measured.items():
        seconds = [took for took, _ in values]
        print(f"pca {len(x)} rows  {which:16} median {statistics.median(seconds):6.2f} s  fastest {min(seconds):6.2f} s  "
              f"variance explained {values[0][1]:.9f}", flush=True)


if __name__ == "__main__":
    main()
