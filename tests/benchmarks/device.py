"""A step of an MLP in float32 beside PyTorch on the same device, in turn: milliseconds a step; the goal is 1.0.

    python3 tests/benchmarks/device.py BENCH_DEVICE

BENCH_DEVICE is the program of that name in the build's bin folder; the python3 is one that has torch. Both compute
in float32 proper: neither uses TF32.
"""
import re
import statistics
import subprocess
import sys

ROUNDS = 5
NETWORKS = [(512, [784, 1024, 1024, 10]), (4096, [784, 4096, 4096, 10]), (64, [40, 32, 4])]

PEER = """
import sys, time, torch
rows, *widths = map(int, sys.argv[1:])
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layers = []
for i in range(len(widths) - 1):
    layers += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1]).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=device == "cuda")
loss = torch.nn.CrossEntropyLoss()
x, y = torch.rand(rows, widths[0], device=device), torch.randint(widths[-1], (rows,), device=device)
def steps(n):
    start = time.perf_counter()
    for _ in range(n):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        value.item()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
steps(5)
n = max(5, int(0.3 / (steps(5) / 5)))
print(1000 * steps(n) / n)
"""


def milliseconds(words):
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(re.match(r"[\d.]+", out).group())


def main():
    for rows, widths in NETWORKS:
        shape = [str(number) for number in (rows, *widths)]
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(milliseconds([sys.argv[1], "step", *shape]))
            theirs.append(milliseconds([sys.executable, "-c", PEER, *shape]))
        ratio = statistics.median(b / a for a, b in zip(ours, theirs))
        print(f"{'-'.join(map(str, widths))}, {rows} rows: Kernmill {statistics.median(ours):.3f} ms, PyTorch "
              f"{statistics.median(theirs):.3f} ms: {ratio:.2f} times its speed, goal 1.00: "
              f"{'met' if ratio >= 1 else 'missed'}", flush=True)


if __name__ == "__main__":
    main()
