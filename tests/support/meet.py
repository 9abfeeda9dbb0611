"""A program of several ranks that finds its peers as torch.distributed does: each tells rank 0 who it is."""
import os
import socket
import time

names = ["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK"]
me = " ".join(f"{name}={os.environ[name]}" for name in names)
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])

if os.environ["RANK"] == "0":
    with socket.create_server(("", place[1])) as server:
        said = [me]
        while len(said) < int(os.environ["WORLD_SIZE"]):
            said.append(server.accept()[0].makefile().readline().strip())
    with open(os.path.join(os.environ["KERNMILL_OUTPUT"], "met"), "w") as met:
        met.write("\n".join(sorted(said)) + "\n")
else:
    while True:
        try:
            with socket.create_connection(place) as server:
                server.sendall((me + "\n").encode())
            break
        except ConnectionRefusedError:  # rank 0 is not there yet
            time.sleep(0.05)
