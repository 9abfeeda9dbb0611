"""A training step of an MLP beside PyTorch, in turn: milliseconds a step, float32, Adam, on as many threads.

    python3 -m venv V && V/bin/pip install torch
    V/bin/python tests/benchmarks/step.py build/dev/bin/bench_step

The large network is 784-1024-1024-10 with 512 rows, the small one 40-32-4 with 64. Kernmill's numbers are those of
bench_step, with exact and with fast sums.
"""
import os
import re
import statistics
import subprocess
import sys

ROUNDS = 7

PEER = """
import sys, time, torch
rows, *widths = map(int, sys.argv[1:])
torch.manual_seed(0)
layers = []
for i in range(len(widths) - 1):
    layers += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
optimizer, loss = torch.optim.Adam(model.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss()
x, y = torch.rand(rows, widths[0]), torch.randint(widths[-1], (rows,))
def steps(n):
    start = time.perf_counter()
    for _ in range(n):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    return 1000 * (time.perf_counter() - start) / n
n = max(5, int(2e9 / (rows * widths[1] * sum(widths[:2]))))
n = min(n, 2000)
steps(n)
print(steps(n))
"""


def peer(rows, widths, threads):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    return float(subprocess.run([sys.executable, "-c", PEER, str(rows), *map(str, widths)], env=env, check=True,
                                stdout=subprocess.PIPE, text=True).stdout)


def kernmill(program, rows, widths, ranks, threads):
    """Milliseconds by what was measured: bare products, fast sums, exact sums; float32."""
    env = dict(os.environ, OPENBLAS_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    out = subprocess.run(["mpiexec", "-n", str(ranks), program, str(rows), "3", *map(str, widths)], env=env, check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return {name: float(ms) for name, ms in re.findall(r"^  (\w+ \w+) +([\d.]+) ms", out.split("float64")[0], re.M)}


def measure(program, rows, widths, ranks, threads):
    times = {}
    for _ in range(ROUNDS):
        for name, ms in kernmill(program, rows, widths, ranks, threads).items():
            times.setdefault(name, []).append(ms)
        times.setdefault("PyTorch", []).append(peer(rows, widths, ranks * threads))
    print(f"{'-'.join(map(str, widths))}, {rows} rows, {ranks} ranks of {threads} threads, {ROUNDS} rounds")
    for name, values in times.items():
        ratios = [theirs / ours for theirs, ours in zip(times["PyTorch"], values)]
        print(f"  {name:14} median {statistics.median(values):8.3f} ms  fastest {min(values):8.3f} ms"
              f"  PyTorch takes {statistics.median(ratios):5.2f} times as long", flush=True)


def main():
    program = sys.argv[1]
    for ranks, threads in ((2, 1), (1, 2), (1, 1)):
        measure(program, 512, [784, 1024, 1024, 10], ranks, threads)
    measure(program, 64, [40, 32, 4], 1, 1)


if __name__ == "__main__":
    main()
