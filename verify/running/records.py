"""The records of a run, one check a line, and the header in a file beside them: strict JSON, written and read."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, get_args

import numpy as np

from theory.validation import CONTROL
from verify.cell import StepsizeRule
from verify.claim import is_audit
from verify.running.environment import commit, environment
from verify.verdict import JUDGED, Finding, Verdict, judge

FORMAT, HEADED_FORMAT = 3, 2
"""Of what is written; and of an earlier version, whose header was the first line of the records."""
RECORDS, MUTANTS = "records.jsonl", "mutants.jsonl"
TEXTS = ("claim", "claim_spec", "problem", "problem_spec", "profile", "mutant", "label", "method", "note", "traceback")
INTEGERS = ("N", "seed", "index", "checks", "samples")
REALS = ("alpha_L", "measured", "bound", "lower", "upper", "slack", "shortfall", "tightness", "seconds")
SHOWN = ("claim", "problem", "mutant", "label", "note")
"""Texts that are printed: each is one line without control characters."""
FLAGS = ("attained", "signed")
LARGEST_INTEGER = 2**128
DEEPEST = 8
"""Levels of lists in a witness."""
_CONTROL = re.compile(f"[{re.escape(''.join(map(chr, CONTROL)))}]")
RULES, VERDICTS = frozenset(get_args(StepsizeRule)), frozenset(get_args(Verdict))


class RunError(Exception):
    """A run cannot go on, for the reason in this one line; the records that it has written are kept."""


@dataclass(frozen=True, kw_only=True)
class CellName:
    """The name of one cell: strings and numbers only, from which any worker rebuilds the cell.

    Attributes
    ----------
    claim, problem : names, as shown; the draws of the cell are keyed by them.
    problem_spec : what loads the problem: its name again, or `FILE.py:FACTORY` with the file's full path.
    N, rule : inner steps and stepsize rule.
    profile, seed : effort and seed of the run.
    mutant : name of the mutant whose formula stands in for the right one; "" for the right one.
    claim_spec : what loads a claim of a user, `FILE.py:` with the file's full path; "" for the suite's own.
    """

    claim: str
    problem: str
    problem_spec: str
    N: int
    rule: StepsizeRule
    profile: str
    seed: int
    mutant: str = ""
    claim_spec: str = ""

    @property
    def is_audit(self) -> bool:
        """Whether it examines the constants of the problem, on which every other claim rests."""
        return is_audit(self.claim)

    def examines_an_estimate(self, label: str, estimated: Sequence[str]) -> bool:
        """Whether a check of this cell is of an estimate of the suite itself: what is met above it refutes nobody."""
        return self.is_audit and label in estimated


Place: TypeAlias = tuple[str, str, int, StepsizeRule, str, int]


@dataclass(frozen=True, kw_only=True)
class Record(CellName):
    """One check: the cell it belongs to, what was measured beside its bound, and the verdict.

    A number that is absent or NaN is None. `index` of `checks` says which of the cell's checks it is. The numbers
    determine the verdict as those of a `Finding` do.
    `estimated` names the constants of the problem that were estimated and not proved. All but `seconds` is determined
    by the cell.
    """

    alpha_L: float
    index: int
    checks: int
    verdict: Verdict
    label: str = ""
    measured: float | None = None
    bound: float | None = None
    lower: float | None = None
    upper: float | None = None
    slack: float | None = None
    attained: bool = False
    shortfall: float = 0.0
    signed: bool = False
    tightness: float | None = None
    method: str = ""
    samples: int = 0
    witness: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    traceback: str = ""
    estimated: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def place(self) -> Place:
        """What tells this check from all others of its run."""
        return self.claim, self.problem, self.N, self.rule, self.mutant, self.index

    @property
    def cell(self) -> CellName:
        """The cell that this check belongs to; evaluating it again gives the same record."""
        return CellName(**{f.name: getattr(self, f.name) for f in fields(CellName)})

    @property
    def only_rounding(self) -> bool:
        """Whether what was measured is within its rounding error, so that its ratio to the bound says nothing."""
        return self.measured is not None and self.slack is not None and abs(self.measured) <= self.slack

    @property
    def where(self) -> str:
        """Where the check was made, in a few words."""
        return ", ".join(filter(None, (self.problem, f"N = {self.N}", self.rule, self.label)))

    def to_json(self) -> str:
        """One line of strict JSON: an infinite number is the string "inf" or "-inf"."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "claim_spec" or self.claim_spec}
        try:  # nearly every record is made of finite numbers, as JSON has them
            return json.dumps(values, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError):
            return json.dumps(plain(values), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> Record:
        """Inverse of `to_json`; raises ValueError, in a few words, where the line is no record."""
        try:
            values = json.loads(line)
            if isinstance(values, dict):
                values.setdefault("claim_spec", "")
            if not (isinstance(values, dict) and values.keys() == NAMES and _are_typed(values)):
                raise ValueError
            values.update(zip(TEXTS, map(sys.intern, _texts(values)), strict=True))  # one copy serves all records
            values.update(zip(REALS, map(_real, _reals(values)), strict=True))
            values["estimated"] = tuple(values["estimated"])
            made = cls.__new__(cls)
            vars(made).update(values)  # what the constructor does too, a field at a time
        except (ValueError, OverflowError, RecursionError) as error:
            raise ValueError("is not a record") from error
        if not made.is_consistent:
            raise ValueError(f"was edited: its numbers do not give the verdict {made.verdict} and its tightness")
        return made

    @property
    def is_consistent(self) -> bool:
        """Whether the numbers give the verdict and the tightness; a verdict that needs none has none."""
        if self.measured is None or self.bound is None or self.slack is None:
            return self.verdict not in JUDGED
        finding = Finding.__new__(Finding)
        vars(finding).update(zip(NUMBERS, _numbers(vars(self)), strict=True))  # as the constructor does, in one go
        verdict = judge(finding)
        if verdict == "violated" and self.examines_an_estimate(self.label, self.estimated):
            verdict = "inconclusive"
        return (self.verdict, self.tightness) == (verdict, finding.tightness)


NAMES = {f.name for f in fields(Record)}
NUMBERS = ("measured", "bound", "lower", "upper", "slack", "attained", "shortfall", "signed")
_texts, _shown_texts, _integers, _reals, _flags, _numbers = (
    itemgetter(*names) for names in (TEXTS, SHOWN, INTEGERS, REALS, FLAGS, NUMBERS)
)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the results of a run depend on, and when it was begun."""

    settings: Mapping[str, Any]
    environment: Mapping[str, str]
    format: int = FORMAT
    started: str = ""

    def to_json(self) -> str:
        """One line of strict JSON."""
        return json.dumps(plain(asdict(self)), ensure_ascii=False, allow_nan=False)

    @classmethod
    def new(cls, settings: Mapping[str, Any]) -> Header:
        """Header of a run that begins now, here."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(settings=plain(settings), environment={"commit": commit(), **environment()}, started=now)

    def difference(self, other: Header) -> str:
        """First thing on which results depend and in which the two differ, in words; "" if there is none."""
        mine, theirs = ({**header.environment, **header.settings} for header in (self, other))
        for name in {**mine, **theirs}:
            if mine.get(name) != theirs.get(name):
                return f"{name} was {_shown(mine.get(name))} and is {_shown(theirs.get(name))}"
        return ""


def _are_typed(values: Mapping[str, Any]) -> bool:
    """Whether what a line of JSON holds has the types of a record; numbers apart, which may be words."""
    integers = _integers(values)
    return (
        _types(_texts(values)) == {str}
        and not _CONTROL.search("".join(_shown_texts(values)))
        and _types(integers) == {int}
        and 0 <= min(integers) <= max(integers) < LARGEST_INTEGER
        and _types(_flags(values)) == {bool}
        and _types((values["alpha_L"], values["seconds"])).isdisjoint((bool, type(None)))
        and values["index"] < values["checks"]
        and values["rule"] in RULES
        and values["verdict"] in VERDICTS
        and isinstance(values["estimated"], list)
        and set(map(type, values["estimated"])) <= {str}
        and isinstance(values["witness"], dict)
        and _is_shallow(values["witness"], DEEPEST)
    )


def _types(values: Iterable[Any]) -> set[type]:
    return set(map(type, values))


def _is_shallow(value: Any, levels: int) -> bool:
    if levels <= 0 or not isinstance(value, dict | list):
        return levels > 0
    items = value.values() if isinstance(value, dict) else value
    if levels > 1 and _types(items).isdisjoint((dict, list)):
        return True
    return all(_is_shallow(item, levels - 1) for item in items)


def _real(value: Any) -> float | None:
    if value is None or (type(value) is float and math.isfinite(value)):
        return value
    if value in ("inf", "-inf") or (type(value) is int and math.isfinite(value)):
        return float(value)
    raise ValueError


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} ({item})" for name, item in value.items()) or "not given"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "not given"
    return str(value if value not in (None, "") else "not given")


@dataclass(frozen=True)
class Run:
    """A file of records as it was read: `torn` tells whether a torn last line was dropped."""

    header: Header
    records: tuple[Record, ...]
    torn: bool = False


def read(path: Path) -> Run:
    """Read a file of records, or the records of a results directory. Errors are those of `reading`, and of `Stream`."""
    with reading(path) as stream:
        records = tuple(stream)
    return Run(stream.header, records, torn=stream.torn)


@contextmanager
def reading(path: Path) -> Iterator[Stream]:
    """Open a file of records, or that of a results directory, to take them one by one: it may be larger than memory.

    Raises
    ------
    ValueError : one line, where there is no such file, or where it is of another format.
    """
    try:
        path = path / RECORDS if path.is_dir() else path
        own = header_path(path)
        with _opened(path) as file:
            if own.exists():
                with _opened(own) as beside:
                    header = _header(own, beside.read(), FORMAT)
                yield Stream(path, header, file, first=1)
                return
            line = file.readline()
            if not line.endswith(b"\n"):
                raise ValueError(f"{path} holds no records: it is empty or torn, and there is no {own.name} beside it")
            yield Stream(path, _header(path, line, HEADED_FORMAT), file, first=2)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {os.strerror(error.errno or 0)}") from error


@dataclass
class Stream:
    """Records as they are read, once; `torn` tells at the end whether a torn last line was dropped.

    Taking them raises ValueError in one line where a line is damaged; a killed run leaves no more than a torn last one.
    """

    path: Path
    header: Header
    file: Iterable[bytes]
    first: int
    torn: bool = False

    def __iter__(self) -> Iterator[Record]:
        seen: set[int] = set()  # hashes of 64 bits: of a million, two are equal with probability 3e-8
        for number, line in enumerate(self.file, start=self.first):
            if not line.endswith(b"\n"):
                self.torn = True
                return
            try:
                record = Record.from_json(line)
            except ValueError as error:
                raise ValueError(f"{self.path} is damaged: line {number} {error}") from error
            seen.add(hash(record.place))
            if len(seen) <= number - self.first:
                raise ValueError(f"{self.path} is damaged: line {number} repeats a check")
            yield record


def rank(record: Record) -> tuple[bool, bool, float]:
    """How much a judged check speaks against its bound: by measured/bound, but a violated one more than any other.

    One at `N = 0`, where many bounds are equalities, speaks less than all others.
    """
    return record.verdict == "violated", record.N > 0, -math.inf if record.tightness is None else record.tightness


def worst(records: Iterable[Record]) -> Record | None:
    """Return the judged check of the highest rank, None if none was judged."""
    return max((record for record in records if record.verdict in JUDGED), key=rank, default=None)


def header_path(records: Path) -> Path:
    """Where the header of a file of records is.

    >>> print(header_path(Path("records.jsonl")))
    records.header.json
    """
    return records.with_suffix(".header.json")


def _opened(path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():  # a pipe would keep us waiting
        raise ValueError(f"cannot read {path}: it is no regular file")
    return path.open("rb")


def _header(path: Path, text: bytes, expected: int) -> Header:
    try:
        values = json.loads(text)
        found = values["format"]
        if found != expected:
            raise ValueError(f"{path} has format {found}, written by another version; this one reads format {FORMAT}")
        types = {"settings": dict, "environment": dict, "started": str}
        if not all(isinstance(values[name], kind) for name, kind in types.items()):
            raise TypeError
        return Header(**{**values, "format": FORMAT})
    except (KeyError, TypeError, RecursionError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} holds no header of records, nor is there one beside it") from error


def encode(line: str) -> bytes:
    """Bytes of a line of the file; a lone surrogate, which a user's text may hold, becomes its JSON escape."""
    return line.encode("utf-8", errors="backslashreplace") + b"\n"


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: NumPy becomes plain, NaN becomes None, infinities become strings."""
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
