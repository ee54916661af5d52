"""The file of records of a run: its header, and how it is read."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from verify.running.records import Record, plain

FORMAT = 1
RECORDS, MUTANTS = "records.jsonl", "mutants.jsonl"


@dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a file of records: what its results depend on, and when it was begun."""

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
        return cls(settings=plain(settings), environment=environment(), started=now)

    def difference(self, other: Header) -> str:
        """First thing on which results depend and in which the two differ, in words; "" if there is none."""
        mine, theirs = ({**header.environment, **header.settings} for header in (self, other))
        for name in {**mine, **theirs}:
            if mine.get(name) != theirs.get(name):
                return f"{name} was {_shown(mine.get(name))} and is {_shown(theirs.get(name))}"
        return ""


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} ({item})" for name, item in value.items()) or "not given"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "not given"
    return str(value if value not in (None, "") else "not given")


@cache
def environment() -> dict[str, str]:
    """Versions and machine on which the digits of a result may depend."""
    versions = {name: metadata.version(name) for name in ("numpy", "scipy")}
    return {
        "version": own_version(),
        "commit": _commit(),
        "python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def own_version() -> str:
    """Version of this package; "not installed" where it runs from a mere directory."""
    try:
        return metadata.version("maml-theory-verification")
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Commit of the checkout that runs, with "-dirty" where it was changed; "" outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=40"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


@dataclass(frozen=True)
class Run:
    """A file of records as it was read: `torn` tells whether a torn last line was dropped."""

    header: Header
    records: tuple[Record, ...]
    torn: bool = False


def read(path: Path) -> Run:
    """Read a file of records, or the records of a results directory.

    Raises
    ------
    ValueError : one line, where there is no such file, where it is of another format, or where a line is damaged (a
        torn last line is dropped: what a killed run leaves behind).
    """
    path = path / RECORDS if path.is_dir() else path
    try:
        *lines, torn = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ValueError(f"cannot read {path}: {os.strerror(error.errno or 0)}") from error
    if not lines:
        raise ValueError(f"{path} holds no records: its first line is missing or torn")
    return Run(_header(path, lines[0]), tuple(_records(path, lines[1:])), torn=bool(torn))


def _header(path: Path, line: bytes) -> Header:
    try:
        values = json.loads(line)
        found = values["format"]
        if found != FORMAT:
            raise ValueError(f"{path} has format {found}, written by another version; this one reads format {FORMAT}")
        if not (isinstance(values["settings"], dict) and isinstance(values["environment"], dict)):
            raise TypeError
        return Header(**values)
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no file of records: its first line is not their header") from error


def _records(path: Path, lines: Iterable[bytes]) -> Iterable[Record]:
    for number, line in enumerate(lines, start=2):
        try:
            yield Record.from_json(line)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is damaged: line {number} is not a record") from error
