"""Epochs of a training with one of two ranks slowed three times: even shares beside dynamic ones, and the ideal.

    python3 tests/benchmarks/balance.py build/dev/bin FOLDER [mlp|softmax]      # needs NumPy

The last rank is stopped two thirds of the time, by signals, in turns that are short beside a step. The ideal is what two ranks take of which none is slowed,
times 2 / (1 + 1/3): the work, shared by speed.
"""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

import numpy as np

ROUNDS = 3
MODELS = {
    "mlp": "model: {type: mlp, hidden: [512, 512]}\n    optimizer: {type: adam, epochs: 4, batch_size: 8192}",
    "softmax": "model: {type: softmax}\n    optimizer: {type: lbfgs, max_iterations: 80, tolerance: 0}",
}


def workflow(model, balance, seed):
    return f"""
name: bench
defaults: {{resources: {{ntasks: 2, time: 30m, mem: 2G}}}}
stages:
  prepare: {{task: preprocess, input: rows.npy, labels: labels.npy, target: label}}
  fit:
    task: train
    data: prepare
    {MODELS[model]}
    balance: {balance}
    seed: {seed}
    checkpoint: {{every: 100000}}
"""


def last_rank():
    """The process of rank 1 of a training, once it is there."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"kernmill-task\0train\0" in (entry / "cmdline").read_bytes():
                if b"PMI_RANK=1" in (entry / "environ").read_bytes().split(b"\0"):
                    return int(entry.name)
        except OSError:
            continue
    return None


class Slow(threading.Thread):
    """Stops rank 1 of the training two thirds of the time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done = threading.Event()

    def run(self):
        process = None
        while not self.done.is_set():
            process = process or last_rank()
            if process is None:
                time.sleep(0.02)
                continue
            try:
                os.kill(process, signal.SIGSTOP)
                time.sleep(0.006)
                os.kill(process, signal.SIGCONT)
                time.sleep(0.003)
            except ProcessLookupError:
                return


def seconds(bin_dir, folder, model, balance, slowed, seed):
    file = folder / "bench.yaml"
    file.write_text(workflow(model, balance, seed))
    slow = Slow()
    if slowed:
        slow.start()
    subprocess.run([str(bin_dir / "kernmill"), "run", str(file)], check=True, stdout=subprocess.DEVNULL)
    slow.done.set()
    newest = max((folder / "runs").glob("bench-*"), key=os.path.getmtime)
    lines = (next(newest.glob("stages/fit/0/attempt-1")) / "metrics.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    steps = [line for line in told if "step" in line]
    last = [line for line in steps if line["step"] > steps[-1]["step"] / 2]  # the second half: it has settled
    return sum(line["seconds"] for line in last) / (last[-1]["step"] - steps[len(steps) - len(last) - 1]["step"])


def main():
    bin_dir, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    random = np.random.RandomState(0)
    rows = random.normal(size=(100_000, 256))
    np.save(folder / "rows.npy", rows)
    np.save(folder / "labels.npy", np.argmax(rows @ random.normal(size=(256, 10)), axis=1))
    for model in sys.argv[3:] or MODELS:
        times = {"alike": [], "even": [], "dynamic": []}
        for seed in range(ROUNDS):
            times["alike"].append(seconds(bin_dir, folder, model, "even", False, seed))
            times["even"].append(seconds(bin_dir, folder, model, "even", True, seed + 100))
            times["dynamic"].append(seconds(bin_dir, folder, model, "dynamic", True, seed + 200))
        ideal = statistics.median(times["alike"]) * 2 / (1 + 1 / 3)
        for name, values in times.items():
            print(f"{model:8} {name:8} median {1000 * statistics.median(values):8.3f} ms a step, "
                  f"{statistics.median(values) / ideal:5.2f} of the ideal", flush=True)


if __name__ == "__main__":
    main()
