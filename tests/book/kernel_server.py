"""Load what most notebooks import, and fork a kernel for each line on the standard input.

A line holds the arguments, the folder and the environment of a kernel as JSON. Its process id is
printed, once the kernel leads a process group of its own.
"""

import importlib
import json
import os
import signal
import sys

# As ipykernel sets it before a notebook imports matplotlib.
BACKEND = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
LOADED = ("ipykernel.ipkernel", "ipykernel.kernelapp", "matplotlib.pyplot", "torch", "torchvision")


def become_kernel(arguments, folder, environment):
    """Turn this process, which was forked, into a kernel."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.write(1, f"{os.getpid()}\n".encode())
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  # without lines read ahead
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    sys.argv[1:] = arguments
    sys.modules["ipykernel.kernelapp"].launch_new_instance()


def main():
    """Fork kernels until the input ends."""
    del sys.path[0]  # a notebook imports nothing from the folder that this was started in
    os.environ.update(BACKEND)
    for name in LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a kernel that ends does not wait to be asked
    for line in sys.stdin:
        if os.fork() == 0:
            become_kernel(*json.loads(line))
    os._exit(0)  # or Triton lists what it has not freed


if __name__ == "__main__":
    main()
