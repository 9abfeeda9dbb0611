#!/usr/bin/env python3
"""What PyTorch (1.13) makes of the networks of learn_layers_test.cpp: the numbers in that test.

Inputs, parameters and targets are pseudo-random numbers that both sides can write down. For each network: its
outputs, the summed loss, two sums over its gradient in Kernmill's order of parameters, and the loss after a step of
0.01 along the gradient.
"""
import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def numbers(count, salt, scale=0.8):
    return torch.tensor([((i * 7919 + salt * 104729) % 2003 - 1001) / 1001 * scale for i in range(count)])


def fill(tensors, salt):
    """Gives the tensors their numbers, in their order, as if all were one vector."""
    values, at = numbers(sum(t.numel() for t in tensors), salt), 0
    for tensor in tensors:
        with torch.no_grad():
            tensor.copy_(values[at:at + tensor.numel()].reshape(tensor.shape))
        at += tensor.numel()


class Recurrent(nn.Module):
    """Weights are inputs x outputs in Kernmill, and the bias of the state is zero."""

    def __init__(self, cell, columns, hidden, layers, outputs):
        super().__init__()
        self.cell = cell(columns, hidden, layers, batch_first=True)
        self.out = nn.Linear(hidden, outputs)
        self.flat = []
        for i in range(layers):
            for name in ("weight_ih", "weight_hh", "bias_ih"):
                self.flat.append(getattr(self.cell, f"{name}_l{i}"))
            with torch.no_grad():
                getattr(self.cell, f"bias_hh_l{i}").zero_()
        self.flat += [self.out.weight, self.out.bias]

    def forward(self, x):
        return self.out(self.cell(x.reshape(x.shape[0], 4, 2))[0][:, -1])


class Mlp(nn.Module):
    def __init__(self, activation, normed, outputs):
        super().__init__()
        self.first, self.norm, self.out = nn.Linear(8, 5), nn.LayerNorm(5), nn.Linear(5, outputs)
        self.activation, self.normed = activation, normed
        norm = [self.norm.weight, self.norm.bias] if normed else []
        self.flat = [self.first.weight, self.first.bias] + norm + [self.out.weight, self.out.bias]

    def forward(self, x):
        z = self.first(x)
        return self.out(self.activation(self.norm(z) if self.normed else z))


def report(name, model, loss):
    shaped = [t.t() if t.dim() == 2 else t for t in model.flat]
    fill(shaped, 1)
    x, y = numbers(6 * 8, 2, 1.5).reshape(6, 8), numbers(6 * 2, 3, 1.5).reshape(6, 2)
    outputs = model(x)
    value = loss(outputs, y)
    value.backward()
    gradient = torch.cat([(t.grad.t() if t.dim() == 2 else t.grad).reshape(-1) for t in model.flat])
    with torch.no_grad():
        for t in model.flat:
            t -= 0.01 * t.grad
        after = loss(model(x), y)
    print(name)
    print("  outputs", ", ".join(f"{v:.14g}" for v in outputs.reshape(-1).tolist()))
    weighed = (gradient * numbers(gradient.numel(), 5)).sum()
    print("  loss %.14g weighed %.14g square %.14g after %.14g" % (value, weighed, (gradient**2).sum(), after))


def squared(z, y):
    return ((z - y) ** 2).sum()


def huber(z, y):
    return 2 * nn.functional.huber_loss(z, y, reduction="sum", delta=0.5)


report("lstm", Recurrent(nn.LSTM, 2, 3, 1, 2), squared)
report("lstm of two layers", Recurrent(nn.LSTM, 2, 3, 2, 2), squared)
report("gru", Recurrent(nn.GRU, 2, 3, 1, 2), squared)
report("gru of two layers", Recurrent(nn.GRU, 2, 3, 2, 2), squared)
report("gelu", Mlp(nn.functional.gelu, False, 2), squared)
report("layer norm and relu", Mlp(torch.relu, True, 2), squared)
report("layer norm and gelu, huber", Mlp(nn.functional.gelu, True, 2), huber)
