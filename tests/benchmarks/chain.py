#!/usr/bin/env python3
"""The whole chain, CSV to predictions, beside pandas and scikit-learn.

chain.py KERNMILL [--rows 2000000] [--rounds 3] [--ranks 2] [--rival PYTHON]

A table of 14 numbers and 6 categories (54 features) is prepared, learned from, judged and predicted, by a
workflow of four stages and by the usual libraries with as many threads as there are ranks. The rounds take
turns. PYTHON has numpy, pandas and scikit-learn; without it the chain runs alone. The goal is three times.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

WORKFLOW = """
name: chain
defaults: {resources: {ntasks: %d}}
stages:
  prepare: {task: preprocess, input: rows.csv, target: y, encode: one_hot, scale: standard,
            split: {test: 0.2, stratify: true, seed: 7}}
  fit: {task: train, data: prepare, model: {type: softmax}}
  score: {task: evaluate, model: fit, data: prepare}
  ship: {task: deploy, model: fit, input: rows.csv}
"""

RIVAL = """
import json, sys, time
import pandas
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
times, last = {}, time.perf_counter()
def done(stage):
    global last
    now = time.perf_counter()
    times[stage], last = now - last, now
rows = pandas.read_csv('rows.csv')
target = rows.pop('y')
columns = ColumnTransformer([('n', StandardScaler(), [c for c in rows if c[0] == 'n']),
                             ('k', OneHotEncoder(sparse_output=False), [c for c in rows if c[0] == 'k'])])
train, test, y_train, y_test = train_test_split(rows, target, test_size=0.2, stratify=target, random_state=7)
train, test = columns.fit_transform(train), columns.transform(test)
done('prepare')
model = LogisticRegression(C=1.0, max_iter=1000, tol=1e-6).fit(train, y_train)
done('fit')
accuracy_score(y_test, model.predict(test)), log_loss(y_test, model.predict_proba(test))
done('score')
rows = pandas.read_csv('rows.csv').drop(columns='y')
pandas.DataFrame({'prediction': model.predict(columns.transform(rows))}).to_csv('rival.csv')
done('ship')
print(json.dumps(times))
"""


def write_table(file, rows):
    draw = random.Random(1)
    cities = ["Aachen", "Berlin", "Bonn", "Ulm", "Hamburg", "Essen", "Mainz", "Trier"]
    kinds = [8, 7, 7, 6, 6, 6]
    with open(file, "w") as out:
        out.write(",".join([f"n{i}" for i in range(14)] + [f"k{i}" for i in range(6)] + ["y"]) + "\n")
        for _ in range(rows):
            numbers = [draw.gauss(0, 10 ** (i % 5 - 2)) for i in range(14)]
            places = [int(draw.random() * kind) for kind in kinds]
            score = 40 * numbers[0] + 8 * numbers[1] - numbers[7] + (places[0] - 3) / 2 + draw.gauss(0, 1.8)
            out.write(",".join([f"{x:.4f}" for x in numbers] + [f"{cities[k]}{i}" for i, k in enumerate(places)]))
            out.write(",yes\n" if score > 0 else ",no\n")


def ours(kernmill, folder):
    subprocess.run([kernmill, "run", "chain.yaml", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    status = subprocess.run([kernmill, "status", "last", "--json"], cwd=folder, check=True, capture_output=True)
    times = {stage["name"]: stage["seconds"] for stage in json.loads(status.stdout)["stages"]}
    subprocess.run(["rm", "-rf", os.path.join(folder, "runs")], check=True)
    return times


def theirs(python, folder, threads):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = dict(os.environ, **{name: str(threads) for name in names})
    out = subprocess.run([python, "-c", RIVAL], cwd=folder, env=environment, check=True, capture_output=True)
    return json.loads(out.stdout)


def told(name, rounds):
    stages = {stage: statistics.median(times[stage] for times in rounds) for stage in rounds[0]}
    total = statistics.median(sum(times.values()) for times in rounds)
    print(f"{name:9}", *(f"{stage} {seconds:6.2f} s " for stage, seconds in stages.items()), f"all {total:6.2f} s")
    return total


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("kernmill")
    arguments.add_argument("--rows", type=int, default=2_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--ranks", type=int, default=2)
    arguments.add_argument("--rival", help="a python with numpy, pandas and scikit-learn")
    given = arguments.parse_args()
    kernmill = os.path.abspath(given.kernmill)
    with tempfile.TemporaryDirectory() as folder:
        write_table(os.path.join(folder, "rows.csv"), given.rows)
        with open(os.path.join(folder, "chain.yaml"), "w") as out:
            out.write(WORKFLOW % given.ranks)
        mine, rival = [], []
        for _ in range(given.rounds):
            mine.append(ours(kernmill, folder))
            if given.rival:
                rival.append(theirs(given.rival, folder, given.ranks))
        total = told("kernmill", mine)
        if rival:
            print(f"{told('rival', rival) / total:.2f} times as fast (medians of {given.rounds})")


if __name__ == "__main__":
    sys.exit(main())
