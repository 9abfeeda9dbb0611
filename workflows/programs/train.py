"""A training of one's own, as small as it can be: finds the least of (x - 3)^2 by gradient descent.

Called as train.py LEARNING_RATE SEED. It goes on from its checkpoint when it is started again.
"""
import json
import os
import random
import sys

rate, seed = float(sys.argv[1]), int(sys.argv[2])
checkpoint = os.path.join(os.environ["KERNMILL_CHECKPOINTS"], "state.json")

if os.path.exists(checkpoint):
    with open(checkpoint) as file:
        state = json.load(file)
else:
    state = {"step": 0, "x": random.Random(seed).uniform(-1, 1)}

while state["step"] < 100:
    state = {"step": state["step"] + 1, "x": state["x"] - rate * 2 * (state["x"] - 3)}
    if state["step"] % 10 == 0:
        with open(checkpoint + ".new", "w") as file:  # a checkpoint is there as a whole, or not at all
            json.dump(state, file)
        os.replace(checkpoint + ".new", checkpoint)

with open(os.path.join(os.environ["KERNMILL_OUTPUT"], "model.json"), "w") as file:
    json.dump(state, file)
with open(os.environ["KERNMILL_METRICS"], "a") as file:
    print(f"loss={(state['x'] - 3) ** 2:.4g}", file=file)
