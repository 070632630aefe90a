"""Start the kernels of the notebooks as forks of one process that has loaded PyTorch.

A new process takes longer to load it than most notebooks take to compute.
"""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path


@functools.cache
def server():
    """Start the process that is forked, once.

    The variable CONVLAB_KERNEL_PYTHON names the Python that runs the notebooks, if it is not that
    of the tests.
    """
    python = os.environ.get("CONVLAB_KERNEL_PYTHON", sys.executable)
    process = subprocess.Popen(
        [python, str(Path(__file__).with_name("kernel_server.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    atexit.register(process.communicate)  # the end of its input ends it
    return process


class Kernel:
    """A running kernel: what jupyter_client uses of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        """Return None while it runs; its exit code is not known."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 1
        return None

    wait = poll  # jupyter_client polls first

    def send_signal(self, number):
        os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def launch_kernel(command, *, env, cwd=None, **_):
    """Start a kernel in place of `jupyter_client.launcher.launch_kernel`."""
    arguments = command[command.index("ipykernel_launcher") + 1 :]
    process = server()
    print(json.dumps([arguments, cwd or os.getcwd(), dict(env)]), file=process.stdin, flush=True)
    return Kernel(int(process.stdout.readline()))
