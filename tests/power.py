"""The power of the suite as a guard: which small edits of the sources do a quick run and `compare` notice?

    python -m tests.power                   # about a hundred edits, half an hour on two cores
    python -m tests.power --every 40        # each fortieth of them, for a first look

Each edit is made in a copy of the checkout: one number of a formula of `theory`, or of the constants of a problem, is
another, one operator is its neighbour, or one factor is gone. The cells of `run --profile quick` are then evaluated in
the copy and compared with those of the untouched copy, until one regresses. Edits that change no value, as in a branch
for huge N, cannot be noticed: those that are left are listed, to be looked at.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verify.running.records import CellName, Record

ROOT = Path(__file__).parents[1]
PACKAGES = ("theory", "problems", "verify")
FORMULAS = ("growth", "lemmas", "smoothness", "estimator", "meta_stepsize", "convergence", "sharper", "tight")
PROBLEMS = ("saddle", "teeth", "kink", "cusp", "ramp", "noise_floor", "slow_slope", "twin_wells", "opposed_curvature")
TOLERANCE = 0.01
"""Of `compare` for a claim's tightness, its default."""
STEP = 15
"""Of all edits that can be made, each so manieth is: about a hundred."""
NEIGHBOURS: dict[type[ast.operator], tuple[str, str]] = {ast.Mult: (" * ", " / "), ast.Add: (" + ", " * ")}


@dataclass(frozen=True)
class Edit:
    """Replace the text from `start` to `end` of a file by `new`."""

    file: str
    start: int
    end: int
    new: str

    def apply(self, text: str) -> str:
        """Return the edited text."""
        return text[: self.start] + self.new + text[self.end :]

    def shown(self, text: str) -> str:
        """The line before and after."""
        first, last = text.rfind("\n", 0, self.start) + 1, text.find("\n", self.end)
        line, edited = text[first:last], self.apply(text)[first : last + len(self.new) - (self.end - self.start)]
        return f"{self.file}:{text.count(chr(10), 0, first) + 1}: {line.strip()}  ->  {edited.strip()}"


def edits(file: str, text: str) -> Iterator[Edit]:
    """All edits of the arithmetic in the functions of a file."""
    offsets = [0]
    for line in text.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line.encode()))
    raw = text.encode()

    def place(node: ast.expr) -> tuple[int, int]:
        begin, finish = offsets[node.lineno - 1] + node.col_offset, offsets[(node.end_lineno or 1) - 1]
        return len(raw[:begin].decode()), len(raw[: finish + (node.end_col_offset or 0)].decode())

    for function in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if not isinstance(node, ast.BinOp):
                continue
            for side in (node.left, node.right):
                if isinstance(side, ast.Constant) and type(side.value) in (int, float):
                    more = side.value + 1 if type(side.value) is int else 1.1 * side.value
                    yield Edit(file, *place(side), repr(more))
            if type(node.op) in NEIGHBOURS:
                old, new = NEIGHBOURS[type(node.op)]
                between = slice(place(node.left)[1], place(node.right)[0])
                if text[between] == old:
                    yield Edit(file, between.start, between.stop, new)
                    if old == " * ":
                        yield Edit(file, place(node.left)[0], place(node.right)[0], "")


def copied(into: Path) -> Path:
    """Copy what a run needs."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, into / package, ignore=shutil.ignore_patterns("__pycache__"))
    return into


def in_copy(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy: its packages come first on the path, whatever is installed."""
    environment = {**os.environ, "PYTHONPATH": str(directory)}
    return subprocess.run(
        [sys.executable, *command], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


def regressions(old: Sequence[Record], new: Sequence[Record], tolerance: float) -> list[str]:
    """What `compare` calls a regression, in words."""
    from verify.reporting.compare import changes

    return [str(change) for change in changes(old, new, tolerance) if change.regression]


def first_change(untouched: str) -> str:
    """What a quick run of the code on the path changes of the `untouched` one, in words; "" where nothing.

    The cells are examined one by one, and no more once one differs: what `compare` would say of it, it would say of the
    whole run. Their order is mixed, since neighbours feel the same edits.
    """
    from verify.running.evaluation import evaluate
    from verify.running.records import read
    from verify.running.selection import Selection, plan

    old: defaultdict[CellName, list[Record]] = defaultdict(list)
    for record in read(Path(untouched)).records:
        old[record.cell].append(record)
    cells, new = plan(Selection(profile="quick")), []
    for cell in (cells[place] for place in np.random.default_rng(0).permutation(len(cells))):
        new += (found := evaluate(cell))
        if regressed := regressions(old[cell], found, math.inf):
            return regressed[0]
    return next(iter(regressions([record for records in old.values() for record in records], new, TOLERANCE)), "")


def notices(directory: Path, untouched: Path) -> str:
    """What notices the edit that was made in a copy; "" where nothing does."""
    code = f"from tests.power import first_change; print(first_change({str(untouched)!r}))"
    found = in_copy(directory, "-c", f"import sys; sys.path.append({str(ROOT)!r}); {code}")
    if found.returncode:
        return "the run fails: " + (found.stderr.splitlines() or ["nothing is said"])[-1]
    return found.stdout.strip()


def main() -> None:
    """Make the edits, in as many copies as there are processors, and print what notices them, then a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="make only each so manieth of the edits")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="copies that are examined at a time")
    chosen = parser.parse_args()
    files = [
        *(f"theory/{name}.py" for name in FORMULAS),
        *(f"theory/neighbours/{path.name}" for path in sorted((ROOT / "theory" / "neighbours").glob("*.py"))),
        *(f"problems/{name}.py" for name in PROBLEMS),
    ]
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in files}
    made = [edit for file, text in texts.items() for edit in edits(file, text)][:: STEP * chosen.every]
    with tempfile.TemporaryDirectory() as place:
        untouched, free = Path(place) / "untouched", queue.SimpleQueue[Path]()
        for job in range(chosen.jobs):
            free.put(copied(Path(place) / f"copy{job}"))
        run = in_copy(Path(place) / "copy0", "-m", "verify", "run", "--profile", "quick", "--out", str(untouched))
        if run.returncode:
            sys.exit(f"error: the untouched copy does not hold: {run.stderr}")

        def examine(edit: Edit) -> str:
            directory = free.get()
            path, text = directory / edit.file, texts[edit.file]
            try:
                path.write_text(edit.apply(text), encoding="utf-8")
                return notices(directory, untouched)
            finally:
                path.write_text(text, encoding="utf-8")
                free.put(directory)

        missed = []
        with ThreadPoolExecutor(chosen.jobs) as pool:
            for edit, how in zip(made, pool.map(examine, made), strict=True):
                shown = edit.shown(texts[edit.file])
                print(f"{shown}\n    {how or 'NOT NOTICED'}", flush=True)
                missed += [] if how else [shown]
    print(f"\n{len(made) - len(missed)} of {len(made)} edits are noticed", *missed, sep="\n")


if __name__ == "__main__":
    main()
