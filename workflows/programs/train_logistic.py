#!/usr/bin/env python3
"""Logistic regression by stochastic gradient descent, in plain Python, as a training that may be stopped at any time.

  train_logistic.py data points.csv --rows 400 --seed 7
  train_logistic.py train points.csv --epochs 60 --checkpoints DIR --model model.json --metrics metrics.txt

Asked to stop (SIGTERM or SIGUSR1) it saves a checkpoint after the epoch that it is in, and ends with status 75, which
Kernmill takes for "stopped, and can go on". Row orders follow from the epoch's number alone, so that a training that went
on does the steps that an undisturbed one does.
"""

import argparse
import csv
import json
import math
import os
import random
import signal
import sys
import time

STOPPED = 75
asked_to_stop = False


def ask_to_stop(*_):
    global asked_to_stop
    asked_to_stop = True


def write_whole(path, text):
    """A reader sees all of it, or what was there before."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def make_data(arguments):
    random_numbers = random.Random(arguments.seed)
    with open(arguments.points, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["x", "y", "label"])
        for row in range(arguments.rows):
            label = row % 2
            rows.writerow([random_numbers.gauss(2 * label, 1), random_numbers.gauss(-label, 1), label])


def read_data(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [((1.0, float(row["x"]), float(row["y"])), int(row["label"])) for row in csv.DictReader(file)]


def probability(weights, point):
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, point))))


def one_epoch(weights, points, epoch):
    order = list(range(len(points)))
    random.Random(epoch).shuffle(order)
    rate = 0.1 / (1 + 0.1 * epoch)
    for index in order:
        point, label = points[index]
        error = probability(weights, point) - label
        weights = [w - rate * error * x for w, x in zip(weights, point)]
    return weights


def train(arguments):
    points = read_data(arguments.points)
    checkpoint = os.path.join(arguments.checkpoints, "state.json")
    state = {"epoch": 0, "weights": [0.0, 0.0, 0.0], "starts": 0}
    if os.path.exists(checkpoint):
        with open(checkpoint, encoding="utf-8") as file:
            state = json.load(file)
        print(f"going on after epoch {state['epoch']}")
    state["starts"] += 1
    saved = time.monotonic()
    while state["epoch"] < arguments.epochs:
        state["weights"] = one_epoch(state["weights"], points, state["epoch"])
        state["epoch"] += 1
        time.sleep(arguments.seconds_an_epoch)
        if asked_to_stop or time.monotonic() - saved > arguments.save_every or state["epoch"] == 1:
            write_whole(checkpoint, json.dumps(state))
            saved = time.monotonic()
        if asked_to_stop and state["epoch"] < arguments.epochs:
            print(f"stopped after epoch {state['epoch']}")
            return STOPPED
    chances = [(probability(state["weights"], point), label) for point, label in points]
    loss = -sum(math.log(p if label else 1 - p) for p, label in chances) / len(points)
    accuracy = sum((p > 0.5) == label for p, label in chances) / len(points)
    write_whole(arguments.model, json.dumps({"weights": state["weights"]}))
    with open(arguments.metrics, "a", encoding="utf-8") as file:
        file.write(f"loss={loss!r}\naccuracy={accuracy!r}\nepochs={state['epoch']}\nstarts={state['starts']}\n")
    return 0


def main():
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, ask_to_stop)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("data")
    one.add_argument("points")
    one.add_argument("--rows", type=int, required=True)
    one.add_argument("--seed", type=int, default=0)
    one = commands.add_parser("train")
    one.add_argument("points")
    one.add_argument("--epochs", type=int, required=True)
    one.add_argument("--checkpoints", required=True)
    one.add_argument("--seconds-an-epoch", type=float, default=0)
    one.add_argument("--save-every", type=float, default=30, metavar="SECONDS")
    one.add_argument("--model", required=True)
    one.add_argument("--metrics", required=True)
    arguments = parser.parse_args()
    return make_data(arguments) if arguments.command == "data" else train(arguments)


if __name__ == "__main__":
    sys.exit(main())
