"""Run the evidence of the claims that the five documents make.

Every row of `book/claims/` is run in a process of its own. Its evidence computes `holds`: whether
the claim, as it is said, holds on an input that can tell; and, where a true sentence leads astray,
`gap`: whether the case in which it does was found. Verdict, `holds`, `gap` and the printed lines
must agree. Run as a program, the module does this for all rows or for some, and with ``--mutate``
also changes the evidence, one number or name at a time, until a change turns the result: evidence
that no change turns proves nothing.

    python -m tests.book.claims D0-41 D3-17
    python -m tests.book.claims --mutate
"""

import argparse
import ast
import contextlib
import copy
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import sys
import time
import traceback
import warnings
from collections import deque
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from tests.book.book_files import ROOT

sys.path.append(str(ROOT / "book" / "_ext"))
from claims import VERDICTS, read_claims, read_rows

SECONDS = 120  # for one row; the slowest takes about two on an idle machine
MUTANTS, SECONDS_OF_A_MUTANT = 60, 30  # for one row

# What each verdict demands of `holds` and of `gap`; None: it is not computed.
DEMANDS = {
    "true": (True, None),
    "false": (False, None),
    "misleading": (True, True),
    "incomplete": (True, True),
    "outdated": (False, None),
    "not checkable": (None, None),
}

# Names that stand for something else of the same form.
TWINS = [
    ("Conv2d", "ConvTranspose2d", "Conv1d", "Linear"), ("conv2d", "conv_transpose2d"),
    ("MaxPool2d", "AvgPool2d"), ("max_pool2d", "avg_pool2d"), ("ones", "zeros", "eye"),
    ("randn", "zeros"), ("rand", "zeros"), ("sum", "mean"), ("min", "max"), ("var", "mean"),
    ("std", "mean"), ("ReLU", "Sigmoid"), ("relu", "sigmoid"), ("BatchNorm2d", "Identity"),
    ("train", "eval"), ("weight", "bias"), ("flip", "clone"), ("Adam", "SGD"), ("ceil", "floor"),
    ("Dropout", "Identity"), ("Dropout2d", "Dropout", "Identity"), ("in_channels", "out_channels"),
    ("AdaptiveAvgPool2d", "AdaptiveMaxPool2d"), ("LeNet5", "SimpleCNN"), ("AlexNet", "VGG16"),
    ("VGG16", "VGG11"), ("vgg16", "vgg11"), ("resnet18", "resnet34"), ("height", "width"),
]  # fmt: skip
WORDS = {"same": "valid", "valid": "same", "zeros": "circular", "reflect": "circular",
         "replicate": "circular", "circular": "zeros"}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a run of some evidence gave.

    Attributes
    ----------
    prints : str
        The printed lines.
    holds, gap : bool or None
        Its results; None if it did not compute them.
    error : str
        The traceback, if it raised; else empty.
    """

    prints: str
    holds: bool | None
    gap: bool | None
    error: str = ""


_LATE = Outcome("", None, None, "the process ended without an answer, or took too long")


def run(code):
    """Run evidence in this process, and give the outcome."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    printed, names = io.StringIO(), {"__name__": "evidence"}
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "<evidence>", "exec"), names)
    except BaseException:
        return Outcome(printed.getvalue().strip(), None, None, traceback.format_exc())
    found = [names.get(name) for name in ("holds", "gap")]
    return Outcome(printed.getvalue().strip(), *(None if it is None else bool(it) for it in found))


def _answer(pipe, code):
    pipe.send(run(code))
    pipe.close()


def outcomes(codes, processes=2, seconds=SECONDS):
    """Yield the outcome of each code in order, each run in a process of its own.

    A process that takes longer than `seconds` is ended. Not a `multiprocessing.Pool`: it starts
    its processes from a thread, and a process that is forked there may wait for ever.
    """
    forks = "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if forks else "spawn")
    if forks:
        import torch
        import torchvision  # noqa: F401  # loaded once, before the processes fork

        torch.set_num_threads(1)
    todo, running, done = deque(enumerate(codes)), {}, {}
    try:
        for index in range(len(todo)):
            while index not in done:
                while todo and len(running) < processes:
                    number, code = todo.popleft()
                    mine, its = context.Pipe(duplex=False)
                    process = context.Process(target=_answer, args=(its, code), daemon=True)
                    process.start()
                    its.close()
                    running[mine] = number, process, time.monotonic() + seconds
                ready = multiprocessing.connection.wait(running, timeout=1)
                late = [pipe for pipe, (*_, end) in running.items() if end < time.monotonic()]
                for pipe in {*ready, *late}:
                    number, process, _ = running.pop(pipe)
                    try:
                        done[number] = pipe.recv() if pipe in ready else _LATE
                    except EOFError:
                        done[number] = _LATE
                    process.kill()
                    process.join()
            yield done.pop(index)
    finally:
        for _, process, _ in running.values():
            process.kill()
            process.join()


def proves_nothing(code):
    """Say why the text of the evidence cannot decide a claim; empty if nothing is wrong with it.

    `holds` and `gap` must be computed from what a library returns.
    """
    tree = ast.parse(code)
    tainted = _library_names(tree)
    for name in ("holds", "gap"):
        for value in _values(tree, name):
            if not _names(value) & tainted:
                return f"{name} does not depend on anything that a library computes"
    return ""


def problems(claim, outcome):
    """List what is wrong with a row, given the outcome of its evidence."""
    found = []
    if claim.verdict not in VERDICTS:
        return [f"its verdict is {claim.verdict!r}, not one of {', '.join(VERDICTS)}"]
    if outcome.error:
        return [f"its evidence raises:\n{outcome.error}"]
    holds, gap = DEMANDS[claim.verdict]
    for name, right, got in (("holds", holds, outcome.holds), ("gap", gap, outcome.gap)):
        if right is not got:
            found.append(f"its verdict is {claim.verdict!r}, but its evidence gives {name} = {got}")
    if reason := proves_nothing(claim.evidence):
        found.append(reason)
    if outcome.prints != claim.prints.strip():
        found.append(f"it prints\n{outcome.prints}\nand not\n{claim.prints.strip()}")
    return found


def _names(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _targets(node):
    """List the names that a statement binds, those inside a pair or an attribute included."""
    if isinstance(node, ast.Assign):
        bound = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
        bound = [node.target]
    elif isinstance(node, ast.With):
        bound = [item.optional_vars for item in node.items if item.optional_vars]
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    else:
        return set()
    return set().union(*(_names(target) for target in bound))


def _values(tree, name):
    """List the expressions that are assigned to a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and name in _targets(node):
            yield node.value


def _library_names(tree):
    """Collect the imported names, and all names that are computed with them."""
    found = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    while True:
        more = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Try | ast.With) and _names(node) & found:
                more |= set().union(*(_targets(inner) for inner in ast.walk(node)))
            elif (names := _targets(node)) and _names(node) & found:
                more |= names
        if more <= found:
            return found
        found |= more


def _sites(tree):
    """List the nodes whose change changes what a library is asked to do.

    These are the arguments of calls of a library, the names in it that have a twin, and the values
    of names that such arguments use; not the comparisons that decide.
    """
    library = _library_names(tree)
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and _names(node) & library
    ]
    asked = [
        part for call in calls for part in (*call.args, *(word.value for word in call.keywords))
    ]
    names = set().union(*(_names(part) for part in asked), set()) - {"holds", "gap"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _targets(node) & names:
            asked.append(node.value)
    nodes = {id(node): node for part in asked for node in ast.walk(part)}
    nodes |= {id(node): node for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    nodes |= {id(call): call for call in calls}
    order = {id(node): place for place, node in enumerate(ast.walk(tree))}
    return sorted(nodes.values(), key=lambda node: order[id(node)])


def _changes(node):
    """Yield functions that change a copy of the node, each in one way."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            new = [not value]
        elif isinstance(value, int):
            new = [value + 1, value - 1, value + 2]
        elif isinstance(value, float):
            new = [value * 2 + 1]
        else:
            new = [WORDS[value]] if value in WORDS else []
        for one in new:
            yield lambda it, one=one: setattr(it, "value", one)
    elif isinstance(node, ast.Attribute):
        for twin in {name for twins in TWINS if node.attr in twins for name in twins}:
            if twin != node.attr:
                yield lambda it, twin=twin: setattr(it, "attr", twin)
    elif isinstance(node, ast.Call):
        for index in range(len(node.keywords)):
            yield lambda it, index=index: it.keywords.pop(index)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda it: setattr(it, "op", ast.UAdd())


def mutants(code, seed):
    """Yield changed copies of the evidence, in random order."""
    tree = ast.parse(code)
    every = list(ast.walk(tree))
    places = {id(node): place for place, node in enumerate(every)}
    todo = [(places[id(node)], change) for node in _sites(tree) for change in _changes(node)]
    random.Random(seed).shuffle(todo)
    for place, change in todo:
        changed = copy.deepcopy(tree)
        change(list(ast.walk(changed))[place])
        yield ast.unparse(ast.fix_missing_locations(changed))
    lines = code.splitlines(keepends=True)
    for node in tree.body:  # a step left out
        if isinstance(node, ast.Expr | ast.With | ast.AugAssign):
            yield "".join(lines[: node.lineno - 1] + lines[node.end_lineno :])


def turned(claim, processes=1):
    """Look for a change of the evidence that turns its result; tell whether there is one."""
    if claim.verdict == "not checkable":
        return True
    if claim.turn:
        old, new = claim.turn
        if claim.evidence.count(old) != 1 or "holds" in old or "gap" in old:
            return False
        changed = [claim.evidence.replace(old, new)]
    else:
        changed = list(islice(mutants(claim.evidence, claim.id), MUTANTS))
    key = "gap" if DEMANDS[claim.verdict][1] else "holds"
    right = DEMANDS[claim.verdict][1 if key == "gap" else 0]
    return any(
        getattr(outcome, key) is (not right)
        for outcome in outcomes(changed, processes, SECONDS_OF_A_MUTANT)
    )


def check(claims, processes=2):
    """Map the id of each claim to the outcome of its evidence, and to what is wrong with it."""
    results = outcomes([claim.evidence for claim in claims], processes)
    return {
        claim.id: (outcome, problems(claim, outcome))
        for claim, outcome in zip(claims, results, strict=True)
    }


def main(arguments=None):
    """Check the rows, print what is wrong; give the number of rows with a fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ids", nargs="*", help="some rows only, e.g. D0-41, or D0 for a document")
    parser.add_argument("--file", type=Path, help="rows of this file instead of book/claims")
    parser.add_argument("--mutate", action="store_true", help="look for a change that turns each")
    parser.add_argument("--sample", type=int, help="mutate so many rows only")
    parser.add_argument("--seed", type=int, default=0, help="chooses the sample")
    parser.add_argument("--show", action="store_true", help="print what the evidence prints")
    parser.add_argument("--json", type=Path, help="write what is wrong with each row to a file")
    options = parser.parse_args(arguments)
    rows = read_rows(options.file) if options.file else read_claims()
    if options.ids:
        rows = [one for one in rows if one.id in options.ids or one.id[:2] in options.ids]
    start = time.monotonic()
    found = check(rows)
    if options.show:
        for name, (outcome, _) in found.items():
            print(f"{name}: holds = {outcome.holds}, gap = {outcome.gap}\n{outcome.prints}")
    if options.mutate:
        chosen = rows
        if options.sample is not None and options.sample < len(rows):
            chosen = random.Random(options.seed).sample(rows, options.sample)
        for row in chosen:
            if not turned(row, os.cpu_count() or 1):
                found[row.id][1].append("no change of its evidence turns the result")
    if options.json:
        texts = {
            name: {"outcome": asdict(outcome), "faults": faults}
            for name, (outcome, faults) in found.items()
        }
        options.json.write_text(json.dumps(texts, indent=1), encoding="utf-8")
    faulty = {name: faults for name, (_, faults) in found.items() if faults}
    for name, faults in faulty.items():
        print(f"{name}: " + f"\n{name}: ".join(faults))
    print(f"{len(rows)} rows in {time.monotonic() - start:.0f} s, {len(faulty)} with a fault")
    return len(faulty)


if __name__ == "__main__":
    sys.exit(bool(main()))
