#!/usr/bin/env python3
"""A network that reads handwritten digits, in PyTorch, on as many ranks as it is started with.

  train_digits.py data/digits.csv --lr 0.01 --epochs 20 --checkpoints DIR --model model.pt --metrics metrics.txt

Every rank has its share of each batch, and gradients are averaged (DistributedDataParallel). Asked to stop (SIGTERM or
SIGUSR1), the ranks agree to, save a checkpoint after the epoch that they are in, and end with status 75, which Kernmill takes
for "stopped, and can go on". Row orders follow from the epoch's number alone, so that a training that went on does the steps
that an undisturbed one does.
"""

import argparse
import csv
import os
import signal
import sys
import time

import torch
import torch.distributed as dist

STOPPED = 75
asked_to_stop = False


def ask_to_stop(*_):
    global asked_to_stop
    asked_to_stop = True


def join_ranks():
    """RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are there where $KERNMILL_LAUNCH has started this."""
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return dist.get_rank(), dist.get_world_size()


def leave_ranks():
    dist.barrier()  # rank 0 may still save
    dist.destroy_process_group()


def read_digits(path, device):
    with open(path, newline="", encoding="utf-8") as file:
        rows = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
    table = torch.tensor(rows, device=device)
    pixels, digits = table[:, :-1] / 16, table[:, -1].long()
    test = torch.arange(len(rows), device=device) % 5 == 4
    return pixels[~test], digits[~test], pixels[test], digits[test]


def save(path, state):
    """A reader sees all of it, or what was there before."""
    with open(path + ".new", "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def one_epoch(model, optimizer, pixels, digits, epoch, batch, rank, size):
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(epoch)).to(pixels.device)
    total = 0.0
    for begin in range(0, len(order) - batch + 1, batch):
        own = order[begin + rank:begin + batch:size]
        loss = torch.nn.functional.cross_entropy(model(pixels[own]), digits[own])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / (len(order) // batch)


def anybody(flag, device):
    """Whether any rank says so: all of them hear the same."""
    said = torch.tensor([int(flag)], device=device)
    dist.all_reduce(said, op=dist.ReduceOp.MAX)
    return bool(said.item())


def train(arguments):
    rank, size = join_ranks()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if torch.cuda.is_available() else "cpu"
    pixels, digits, test_pixels, test_digits = read_digits(arguments.data, device)
    torch.manual_seed(arguments.seed)
    network = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)).to(device)
    model = torch.nn.parallel.DistributedDataParallel(network)
    optimizer = torch.optim.SGD(model.parameters(), lr=arguments.lr, momentum=0.9)
    checkpoint, epoch, starts, loss = os.path.join(arguments.checkpoints, "state.pt"), 0, 1, float("nan")
    if os.path.exists(checkpoint):
        state = torch.load(checkpoint, map_location=device)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        epoch, starts, loss = state["epoch"], state["starts"] + 1, state["loss"]
        if rank == 0:
            print(f"going on after epoch {epoch}", flush=True)
    saved = time.monotonic()
    while epoch < arguments.epochs:
        loss = one_epoch(model, optimizer, pixels, digits, epoch, arguments.batch, rank, size)
        epoch += 1
        time.sleep(arguments.seconds_an_epoch)
        stop = anybody(asked_to_stop, device)
        if rank == 0 and (stop or time.monotonic() - saved > arguments.save_every):
            save(checkpoint, {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch,
                              "starts": starts, "loss": loss})
            saved = time.monotonic()
        if stop and epoch < arguments.epochs:
            if rank == 0:
                print(f"stopped after epoch {epoch}", flush=True)
            leave_ranks()
            return STOPPED
    if rank == 0:
        with torch.no_grad():
            accuracy = (network(test_pixels).argmax(1) == test_digits).double().mean().item()
        save(arguments.model, network.state_dict())
        with open(arguments.metrics, "a", encoding="utf-8") as file:
            file.write(f"accuracy={accuracy!r}\nloss={loss!r}\nranks={size}\nstarts={starts}\n")
    leave_ranks()
    return 0


def main():
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, ask_to_stop)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", required=True)
    parser.add_argument("--save-every", type=float, default=30, metavar="SECONDS")
    parser.add_argument("--seconds-an-epoch", type=float, default=0)
    parser.add_argument("--model", required=True)
    parser.add_argument("--metrics", required=True)
    torch.set_num_threads(1)
    return train(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
