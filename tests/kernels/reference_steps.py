#!/usr/bin/env python3
"""What PyTorch makes of a few steps: the numbers in update_test.cpp and rate_schedule_test.cpp.

reference_steps.py          (with python3-torch; the numbers are those of 1.13)
"""

import math

import torch
from torch.optim import lr_scheduler

torch.set_default_dtype(torch.float64)


def after_steps(make, steps):
    weights = torch.nn.Parameter(torch.tensor([math.cos(i) for i in range(4)]))
    optimizer = make([weights])
    for step in range(steps):
        weights.grad = torch.tensor([math.sin(i + 3 * step) for i in range(4)])
        optimizer.step()
    return weights.tolist()


def rates(make, steps, losses=None):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = make(optimizer)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if losses is None else schedule.step(losses[step])
    return found


def told(name, numbers):
    print(f"{name}: {{{', '.join(repr(number) for number in numbers)}}}")


told("nesterov", after_steps(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), 5))
told("adamw", after_steps(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.2), 5))
told("step", rates(lambda o: lr_scheduler.StepLR(o, 2, 0.5), 6))
told("cosine", rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 6, 0.01), 6))
told("warmup", rates(lambda o: lr_scheduler.LinearLR(o, 1 / 4, 1.0, 3), 6))
told("plateau", rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=1, threshold=0.1), 8,
                      [1.0, 0.8, 0.79, 0.78, 0.77, 0.5, 0.49, 0.48]))
