"""The workflows for hosted CI: what they may do, and that they run what README and .ci/run say.

`make lint` checks them with actionlint.
"""

import re
from pathlib import Path

import pytest
import tomllib
import yaml

from tools.matrix import NAME

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".github" / "workflows"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yml"))}
# YAML 1.1 reads the key `on` as True.
WORKFLOWS = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS = [
    pytest.param(job, id=f"{name}/{key}")
    for name, workflow in WORKFLOWS.items()
    for key, job in workflow["jobs"].items()
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(name, job):
    """List the lines that the steps of a job run."""
    steps = WORKFLOWS[name]["jobs"][job]["steps"]
    return [line for step in steps for line in step.get("run", "").splitlines()]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_action_is_one_commit_with_its_version(text):
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    for line in uses:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_the_same_commit_everywhere():
    uses = set(re.findall(r"uses: (.*)", "\n".join(TEXTS.values())))
    assert len({line.partition("@")[0] for line in uses}) == len(uses)


def test_only_the_publication_may_write():
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {"contents": "read"}, name
        assert set(workflow[True]) == {"push", "pull_request", "workflow_dispatch"}
        assert workflow[True]["push"] == {"branches": ["main"]}
    writing = {
        (name, key): job["permissions"]
        for name, workflow in WORKFLOWS.items()
        for key, job in workflow["jobs"].items()
        if "permissions" in job
    }
    assert writing == {("pages", "publish"): {"pages": "write", "id-token": "write"}}
    publish = WORKFLOWS["pages"]["jobs"]["publish"]
    assert "github.ref == 'refs/heads/main'" in publish["if"]
    assert "github.event_name != 'pull_request'" in publish["if"]
    assert not any("run" in step for step in publish["steps"])  # no code of the repository


@pytest.mark.parametrize("job", JOBS)
def test_a_job_ends_and_keeps_no_token(job):
    assert job["timeout-minutes"] <= 120
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # An expression inside of a script would run what a branch is called.
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_has_not_run_is_called_untried(text):
    comment = text.partition("\nname:")[0]
    assert "Untried: " in comment


def test_linux_runs_the_steps_of_our_own_ci():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    targets = {
        word
        for line in re.findall(r"^step (.*?)(?: #.*)?$", script, re.MULTILINE)
        for word in line.split()
        if not word.startswith(("--", "."))
    }
    assert targets == {"lint", "book", "test", "portable"}
    assert targets == {
        line.removeprefix("make ") for line in commands("ci", "linux") if line.startswith("make ")
    }
    assert WORKFLOWS["ci"]["jobs"]["linux"]["env"] == {"CONVLAB_NO_SKIPS": "1"}
    assert "export CONVLAB_NO_SKIPS=1" in script


def test_the_commands_are_those_of_the_readme():
    two = re.findall(r"^(make \w+) +# ", README, re.MULTILINE)
    assert two == ["make book", "make test"]
    assert commands("ci", "macos") == two
    windows = re.search(r"```bat\n(.*?)```", README, re.DOTALL)[1].split("\n")
    expected = [line.replace("py -m", "python -m") for line in windows if line]
    assert commands("ci", "windows") == expected
    cpu = re.search(r"```sh\n(python3 -m venv .*?)```", README, re.DOTALL)[1].splitlines()
    assert commands("ci", "linux")[: len(cpu)] == cpu
    assert commands("pages", "build")[: len(cpu)] == cpu


def test_the_package_is_tested_on_every_python_that_it_declares():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        version
        for name in project["classifiers"]
        if re.fullmatch(r"3\.\d+", version := name.rpartition(" :: ")[2])
    }
    matrix = WORKFLOWS["ci"]["jobs"]["package"]["strategy"]["matrix"]
    assert declared <= set(matrix["python"])
    for version in matrix["python"]:
        for kind in matrix["versions"]:
            assert NAME.fullmatch(f"{kind}-{version}")
