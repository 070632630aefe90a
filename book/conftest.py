"""Make nbval compare pictures too, and start kernels faster.

nbval draws every figure again but excludes it from the comparison, because the bytes of two
PNG files may differ where the drawings do not. Here the drawings are compared.
"""

import os
import sys

from jupyter_client.provisioning import local_provisioner
from nbval.plugin import IPyNbCell

from tests.book import kernels
from tests.book.pictures import difference


def pngs(outputs):
    return [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]


compare_everything_else = IPyNbCell.compare_outputs


def compare_outputs(self, test, ref, skip_compare=None):
    if not compare_everything_else(self, test, ref, skip_compare):
        return False
    drawn, stored = pngs(test), pngs(ref)
    if len(drawn) != len(stored):
        faults = [f"{len(stored)} pictures are stored, {len(drawn)} were drawn"]
    else:
        faults = [difference(old, new) for old, new in zip(stored, drawn, strict=True)]
    self.comparison_traceback += [fault for fault in faults if fault]
    return not any(faults)


IPyNbCell.compare_outputs = compare_outputs

if sys.platform == "linux":  # elsewhere a process that has loaded PyTorch may not survive a fork
    local_provisioner.launch_kernel = kernels.launch_kernel
elif "CONVLAB_KERNEL_PYTHON" in os.environ:
    launch_kernel = local_provisioner.launch_kernel
    local_provisioner.launch_kernel = lambda command, **options: launch_kernel(
        [os.environ["CONVLAB_KERNEL_PYTHON"], *command[1:]], **options
    )
