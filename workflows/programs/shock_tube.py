#!/usr/bin/env python3
"""A shock tube (Sod 1978): the Euler equations of a gas in one dimension, by finite volumes of first order.

  shock_tube.py initial tube.json
  shock_tube.py run tube.json --flux hll --cells 100 --end 0.2 --profile profile.csv --metrics metrics.txt
  shock_tube.py convergence study.csv --metrics metrics.txt
"""

import argparse
import csv
import json
import math

GAMMA = 1.4
SOD = {"left": [1.0, 0.0, 1.0], "right": [0.125, 0.0, 0.1], "membrane": 0.5}  # density, velocity, pressure


def conserved(density, velocity, pressure):
    return density, density * velocity, pressure / (GAMMA - 1) + 0.5 * density * velocity**2


def primitive(density, momentum, energy):
    velocity = momentum / density
    return density, velocity, (GAMMA - 1) * (energy - 0.5 * momentum * velocity)


def flux_of(state):
    density, velocity, pressure = primitive(*state)
    return state[1], state[1] * velocity + pressure, (state[2] + pressure) * velocity


def waves(state):
    """The slowest and the fastest wave of a state."""
    density, velocity, pressure = primitive(*state)
    sound = math.sqrt(GAMMA * pressure / density)
    return velocity - sound, velocity + sound


def rusanov(left, right):
    speed = max(abs(wave) for wave in waves(left) + waves(right))
    return tuple(0.5 * (f + g) - 0.5 * speed * (r - l)
                 for f, g, l, r in zip(flux_of(left), flux_of(right), left, right))


def hll(left, right):
    """Harten, Lax and van Leer (1983)."""
    slow, fast = (pick(pair) for pick, pair in zip((min, max), zip(waves(left), waves(right))))
    if slow >= 0:
        return flux_of(left)
    if fast <= 0:
        return flux_of(right)
    return tuple((fast * f - slow * g + slow * fast * (r - l)) / (fast - slow)
                 for f, g, l, r in zip(flux_of(left), flux_of(right), left, right))


def simulate(tube, flux, cells, end):
    width = 1 / cells
    sides = [conserved(*tube["left"]), conserved(*tube["right"])]
    gas = [sides[(i + 0.5) * width > tube["membrane"]] for i in range(cells)]
    time, steps = 0.0, 0
    while time < end:
        fastest = max(abs(wave) for state in gas for wave in waves(state))
        step = min(0.9 * width / fastest, end - time)
        padded = [gas[0], *gas, gas[-1]]
        through = [flux(padded[i], padded[i + 1]) for i in range(cells + 1)]
        gas = [tuple(u - step / width * (out - into) for u, into, out in zip(state, through[i], through[i + 1]))
               for i, state in enumerate(gas)]
        time += step
        steps += 1
    return [primitive(*state) for state in gas], steps


def pressure_between(left, right):
    """The pressure between the two waves of Sod's problem: a rarefaction on the left, a shock on the right."""
    low, high = right[2], left[2]
    sound = math.sqrt(GAMMA * left[2] / left[0])
    for _ in range(200):
        middle = 0.5 * (low + high)
        a, b = 2 / ((GAMMA + 1) * right[0]), (GAMMA - 1) / (GAMMA + 1) * right[2]
        shock = (middle - right[2]) * math.sqrt(a / (middle + b))
        fan = 2 * sound / (GAMMA - 1) * (1 - (middle / left[2]) ** ((GAMMA - 1) / (2 * GAMMA)))
        low, high = (middle, high) if fan > shock else (low, middle)
    return middle, shock


def exact_density(tube, place, time):
    """Of a gas at rest on both sides; see Toro, Riemann Solvers, chapter 4."""
    left, right = tube["left"], tube["right"]
    pressure, velocity = pressure_between(left, right)
    sound = math.sqrt(GAMMA * left[2] / left[0])
    ratio = pressure / right[2]
    edge = (GAMMA - 1) / (GAMMA + 1)
    shock = math.sqrt(GAMMA * right[2] / right[0]) * math.sqrt((ratio + edge) * (GAMMA + 1) / (2 * GAMMA))
    inner = left[0] * (pressure / left[2]) ** (1 / GAMMA)
    tail = velocity - sound * (pressure / left[2]) ** ((GAMMA - 1) / (2 * GAMMA))
    speed = (place - tube["membrane"]) / time
    if speed < -sound:
        return left[0]
    if speed < tail:
        return left[0] * (2 / (GAMMA + 1) - (GAMMA - 1) / (GAMMA + 1) * speed / sound) ** (2 / (GAMMA - 1))
    if speed < velocity:
        return inner
    return right[0] * (ratio + edge) / (edge * ratio + 1) if speed < shock else right[0]


def run(arguments):
    with open(arguments.tube, encoding="utf-8") as file:
        tube = json.load(file)
    gas, steps = simulate(tube, {"rusanov": rusanov, "hll": hll}[arguments.flux], arguments.cells, arguments.end)
    error, mass = 0.0, 0.0
    with open(arguments.profile, "w", newline="", encoding="utf-8") as file:
        profile = csv.writer(file)
        profile.writerow(["x", "density", "velocity", "pressure", "exact_density"])
        for i, state in enumerate(gas):
            place = (i + 0.5) / arguments.cells
            exact = exact_density(tube, place, arguments.end)
            error += abs(state[0] - exact) / arguments.cells
            mass += state[0] / arguments.cells
            profile.writerow([place, *state, exact])
    with open(arguments.metrics, "a", encoding="utf-8") as file:
        file.write(f"l1_error={error!r}\nmass={mass!r}\nsteps={steps}\n")


def convergence(arguments):
    """The slope of log(error) over log(cells), by least squares, for each method."""
    points = {}
    with open(arguments.study, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            points.setdefault(row["flux"], []).append((math.log(int(row["cells"])), math.log(float(row["l1_error"]))))
    with open(arguments.metrics, "a", encoding="utf-8") as file:
        for flux, pairs in sorted(points.items()):
            middle = [sum(values) / len(pairs) for values in zip(*pairs)]
            slope = (sum((x - middle[0]) * (y - middle[1]) for x, y in pairs)
                     / sum((x - middle[0]) ** 2 for x, _ in pairs))
            file.write(f"order_{flux}={-slope!r}\n")
            print(f"{flux}: {len(pairs)} grids, order {-slope:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("initial")
    one.add_argument("tube")
    one = commands.add_parser("run")
    one.add_argument("tube")
    one.add_argument("--flux", choices=["rusanov", "hll"], required=True)
    one.add_argument("--cells", type=int, required=True)
    one.add_argument("--end", type=float, required=True)
    one.add_argument("--profile", required=True)
    one.add_argument("--metrics", required=True)
    one = commands.add_parser("convergence")
    one.add_argument("study")
    one.add_argument("--metrics", required=True)
    arguments = parser.parse_args()
    if arguments.command == "initial":
        with open(arguments.tube, "w", encoding="utf-8") as file:
            json.dump(SOD, file)
    else:
        {"run": run, "convergence": convergence}[arguments.command](arguments)


if __name__ == "__main__":
    main()
