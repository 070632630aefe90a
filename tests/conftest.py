"""Shared rules of the test suite."""

import os

import pytest
from hypothesis import HealthCheck, settings

# 600 examples a run unless a test says otherwise. No deadline: a slow machine must not turn a
# right answer into a failure.
settings.register_profile(
    "convlab", max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("convlab")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where nothing may be missing (CI sets the variable)."""
    report = yield
    if report.skipped and os.environ.get("CONVLAB_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped although CONVLAB_NO_SKIPS is set: {report.longrepr[2]}"
    return report
