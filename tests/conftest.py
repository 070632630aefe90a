"""Fixtures, examples per property, and the order of the tests, for the whole suite."""

import os
import re
import signal

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

# No deadline: a slow machine must not turn a right answer into a failure.
settings.register_profile(
    "convlab", max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("convlab")

# The share of its examples that a property is tried on: a sample of them in every run, all of
# them with `make test FULL=1`, a few with `make test FAST=1`. The least is a number of examples.
SHARES = {"few": (0.02, 10), "sample": (0.2, 25), "full": (1.0, 0)}
EXAMPLES = os.environ.get("CONVLAB_EXAMPLES", "sample")


def pytest_configure():
    """Refuse an unknown number of examples before anything runs."""
    if EXAMPLES not in SHARES:
        raise pytest.UsageError(f"CONVLAB_EXAMPLES is {EXAMPLES!r}, not one of {[*SHARES]}")


def reduce_examples(function):
    """Let a property try a share of the examples that its settings ask for."""
    share, least = SHARES[EXAMPLES]
    full = function._hypothesis_internal_use_settings  # hypothesis has no public access to it
    examples = min(full.max_examples, max(least, round(share * full.max_examples)))
    function._hypothesis_internal_use_settings = settings(full, max_examples=examples)


# Each of these fixtures takes many seconds or starts processes.
SLOW_FIXTURES = {"site", "recorded", "wheel", "start", "printed"}


def is_notebook(item):
    """Tell whether an item is a cell that nbval runs again."""
    return item.path.suffix == ".ipynb"


def page_of(nodeid):
    """Return the page of the book that is the parameter of a test, or an empty text."""
    found = re.search(r"\[([\w/-]+\.html)", nodeid)
    return found[1] if found else ""


def rank(item):
    """Order the items so that no worker waits for another one, nor idles at the end.

    One worker builds the site while the others run what is slow; only then come the tests that
    open its pages, and then all that is fast. JAX comes last: it starts threads, and from then on
    it warns at every fork of its process, such as those of PyTorch's data loaders.
    """
    if item.path.name == "test_contenders.py":
        return 5
    if item.path.name == "test_site.py":
        return 0
    if is_notebook(item):
        return 1
    if "site" in getattr(item, "fixturenames", ()):
        return 3
    return 2 if item.get_closest_marker("slow") else 4


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    """Reduce the examples, mark what is slow, and sort."""
    properties = {
        item.obj for item in items if getattr(getattr(item, "obj", None), "is_hypothesis_test", 0)
    }
    for function in properties:
        reduce_examples(function)
    for item in items:
        if is_notebook(item) or SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    yield  # pytest drops what is not selected
    items.sort(key=lambda item: (rank(item), page_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Decide what stays in one worker, for ``--dist loadscope``.

    pytest-xdist 3.8 has marks for that (``loadgroup``), which pytest 9.2 leaves without effect.
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduler(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            """Keep a file in one worker, but the pages of the book apart from each other."""
            path = nodeid.partition("::")[0]
            # The files of this folder share samples that take long to make.
            folder = "tests/conformance"
            return page_of(nodeid) or (folder if path.startswith(folder) else path)

    return Scheduler(config, log)


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
    """Every device that PyTorch can compute on here; ``-m gpu`` selects the GPU alone."""
    import torch

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    return request.param


@pytest.fixture
def ctrl_c():
    """Let SIGINT raise KeyboardInterrupt, even if the tests run in the background of a shell.

    A shell makes its background processes ignore the signal, and Python inherits that.
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
