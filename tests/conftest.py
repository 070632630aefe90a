"""Shared rules of the test suite."""

import os
import signal

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

# 600 examples a run unless a test says otherwise. No deadline: a slow machine must not turn a
# right answer into a failure.
settings.register_profile(
    "convlab", max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("convlab")


@pytest.fixture(scope="session")
def make_once(tmp_path_factory):
    """Give a function that fills a temporary folder once for all workers of pytest-xdist."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # shared by the workers

    def make(name, fill):
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.exists():
                folder.mkdir(exist_ok=True)
                fill(folder)
                done.touch()
        return folder

    return make


# One for the whole session, so that hypothesis may use it.
@pytest.fixture(scope="session", params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    """Every device that PyTorch can compute on here; ``-m gpu`` asks for the GPU alone."""
    import torch

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    return request.param


@pytest.fixture
def ctrl_c():
    """Let SIGINT raise KeyboardInterrupt, also where the tests run in the background of a shell.

    A shell lets its background processes ignore the signal, and Python inherits that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where nothing may be missing (CI sets the variable).

    A GPU may: few machines have one.
    """
    report = yield
    forbidden = os.environ.get("CONVLAB_NO_SKIPS") and not item.get_closest_marker("gpu")
    if report.skipped and forbidden:
        report.outcome = "failed"
        report.longrepr = f"skipped although CONVLAB_NO_SKIPS is set: {report.longrepr[2]}"
    return report
