"""The one writer of a results directory: locked, flushed line by line, resumable."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from verify.running.records import RECORDS, CellName, Header, Record, Run, RunError, encode, header_path, read


class Store:
    """Records of one run in one directory, which is locked from the beginning; `begin` says what the run is.

    Parameters
    ----------
    directory : made where it is missing.
    name : of the file of records in the directory.
    resume : go on with the records that are there; `kept` holds those of finished cells, without errors.
    overwrite : drop the records that are there.
    warn : told where a torn last line was dropped.

    Raises
    ------
    ValueError : one line; the directory cannot be written, another run is writing to it, it holds records and neither
        `resume` nor `overwrite` is given, or they cannot be read.
    """

    header: Header

    def __init__(
        self,
        directory: Path,
        name: str = RECORDS,
        *,
        resume: bool = False,
        overwrite: bool = False,
        warn: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.path = directory / name
        self.kept: list[Record] = []
        self.written = 0
        self._open = ExitStack()
        try:
            if not directory.exists():
                self._open.callback(_remove_if_unused, directory)  # bad input leaves no directory behind
            directory.mkdir(parents=True, exist_ok=True)
            self._open.callback(os.close, _lock(directory / ".lock"))
        except OSError as error:
            raise ValueError(f"cannot write to {directory}: {_reason(error)}") from error
        try:
            self._earlier = None if overwrite else self._take_up(resume, warn)
        except BaseException:
            self._open.close()
            raise

    def _take_up(self, resume: bool, warn: Callable[[str], None]) -> Run | None:
        if not os.path.lexists(self.path):
            return None
        if not resume:
            raise ValueError(
                f"{self.path} holds the records of a run: go on with --resume, replace them with --overwrite, "
                "or choose another --out"
            )
        earlier = read(self.path)
        if earlier.torn:
            warn(f"dropped the torn last line of {self.path}")
        return earlier

    def begin(self, header: Header, cells: Iterable[CellName]) -> None:
        """Begin, or go on with, a run of these cells.

        Raises
        ------
        ValueError : one line; the records that are there are of other settings, other code or another machine, or of
            cells that this run does not have.
        """
        self.header = header
        if self._earlier is not None:
            if difference := self._earlier.header.difference(header):
                raise ValueError(f"{self.path} cannot be resumed: {difference} (--overwrite starts again)")
            planned = set(cells)
            for record in self._earlier.records:
                if record.cell not in planned:
                    what = f"{record.claim} on {record.where}"
                    raise ValueError(f"{self.path} is damaged: it has {what}, which is outside the run")
            self.header = self._earlier.header
            self.kept = finished(self._earlier.records)
        try:
            if self._earlier is None:
                self.path.unlink(missing_ok=True)  # at no moment are there records under a header of other ones
            _replace(header_path(self.path), [self.header.to_json()])
            self._write_anew(self.kept)
            self._file = self._open.enter_context(self.path.open("ab", buffering=0))
        except OSError as error:
            raise ValueError(f"cannot write {self.path}: {_reason(error)}") from error

    def append(self, records: Iterable[Record]) -> None:
        """Write records, a line each, so that a killed process loses none; raises RunError where it cannot."""
        for record in records:
            data = encode(record.to_json())
            try:
                while data:
                    data = data[self._file.write(data) :]
                self._require_there()
            except OSError as error:
                raise RunError(
                    f"cannot write {self.path}: {_reason(error)}; the {self.written} checks before are kept: "
                    "make room, then go on with --resume"
                ) from error
            self.written += 1

    def _require_there(self) -> None:
        """Raise RunError where the file is no longer in its directory: what is written would be lost."""
        with suppress(OSError):
            if os.path.samestat(os.stat(self.path), os.fstat(self._file.fileno())):
                return
        raise RunError(f"{self.path} was removed or replaced during the run: its checks are lost, start it again")

    def end(self, records: Sequence[Record]) -> None:
        """Put the same records into this order; where they cannot be written, the file stays as it is."""
        self._require_there()
        self._file.close()
        with suppress(OSError):
            self._write_anew(records)

    def _write_anew(self, records: Sequence[Record]) -> None:
        _replace(self.path, [record.to_json() for record in records])
        self.written = len(records)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()


def finished(records: Iterable[Record]) -> list[Record]:
    """Records of the cells whose checks are all there and none of which is an error: these need not be run again."""
    cells: dict[CellName, list[Record]] = defaultdict(list)
    for record in records:
        cells[record.cell].append(record)
    return [
        record
        for cell in cells.values()
        if len(cell) == cell[0].checks and all(record.verdict != "error" for record in cell)
        for record in cell
    ]


def _replace(path: Path, lines: Iterable[str]) -> None:
    """Replace a file in one stroke: at every moment it is either the old one or the new one, whole."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(b"".join(map(encode, lines)))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _remove_if_unused(directory: Path) -> None:
    """Remove a directory in which there is nothing but its lock."""
    with suppress(OSError):
        if [path.name for path in directory.iterdir()] == [".lock"]:
            (directory / ".lock").unlink()
            directory.rmdir()


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _lock(path: Path) -> int:
    """Lock the directory for this process; the system drops the lock when the process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        os.close(descriptor)
        raise ValueError(f"another run is writing to {path.parent}: wait for it, or choose another --out") from error
    return descriptor


def write_text(path: Path, text: str) -> None:
    """Write a whole file in one stroke; raises RunError in one line where it cannot."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(fresh, path)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {_reason(error)}; all records are kept: make room, then write it with --resume"
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
