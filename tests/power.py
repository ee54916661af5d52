"""The power of the suite as a guard: which small edits of the sources do a quick run and `compare` notice?

    python -m tests.power                   # about a hundred edits, an hour on two cores
    python -m tests.power --every 40        # each fortieth of them, for a first look

Each edit is made in a copy of the checkout: one number of a formula of `theory`, or of the constants of a problem, is
another, one operator is its neighbour, or one factor is gone. The copy is then run (`run --profile quick`) and compared
with the untouched copy. Edits that change no value, as in a branch for huge N, cannot be noticed: those that are left
are listed, to be looked at.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("theory", "problems", "verify")
FORMULAS = ("growth", "lemmas", "smoothness", "estimator", "meta_stepsize", "convergence", "sharper", "tight")
PROBLEMS = ("saddle", "teeth", "kink", "cusp", "ramp", "noise_floor", "slow_slope", "twin_wells", "opposed_curvature")
STEP = 7
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


def quick(directory: Path, out: str) -> int:
    """Exit code of a quick run of the copy; its packages come first on the path."""
    command = [sys.executable, "-m", "verify", "run", "--profile", "quick", "--overwrite", "--out", out]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode


def notices(directory: Path) -> str:
    """What notices the edit that was made in the copy; "" where nothing does."""
    if code := quick(directory, "edited"):
        return f"the run exits with {code}"
    command = [sys.executable, "-m", "verify", "compare", "untouched", "edited"]
    found = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return found.stdout.splitlines()[0] if found.returncode else ""


def main() -> None:
    """Make the edits one by one and print what notices them, then a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="make only each so manieth of the edits")
    chosen = parser.parse_args()
    files = [f"theory/{name}.py" for name in FORMULAS] + [f"problems/{name}.py" for name in PROBLEMS]
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in files if (ROOT / file).is_file()}
    made = [edit for file, text in texts.items() for edit in edits(file, text)][:: STEP * chosen.every]
    missed = []
    with tempfile.TemporaryDirectory() as place:
        directory = copied(Path(place))
        if quick(directory, "untouched"):
            sys.exit("error: the untouched copy does not hold")
        for edit in made:
            path, text = directory / edit.file, texts[edit.file]
            path.write_text(edit.apply(text), encoding="utf-8")
            how = notices(directory)
            path.write_text(text, encoding="utf-8")
            print(f"{edit.shown(text)}\n    {how or 'NOT NOTICED'}", flush=True)
            missed += [] if how else [edit.shown(text)]
    print(f"\n{len(made) - len(missed)} of {len(made)} edits are noticed", *missed, sep="\n")


if __name__ == "__main__":
    main()
