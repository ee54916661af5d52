"""The one writer of a results directory: locked, flushed line by line, resumable."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from verify.running.records import RECORDS, CellName, Header, Record, RunError, encode, read


class Store:
    """Records of one run in one directory.

    Parameters
    ----------
    directory : made where it is missing.
    header : of the run that is to be written.
    name : of the file of records in the directory.
    resume : go on with the records that are there; `kept` holds those of finished cells, without errors.
    overwrite : drop the records that are there.

    Raises
    ------
    ValueError : one line; the directory cannot be written, another run is writing to it, it holds records and neither
        `resume` nor `overwrite` is given, or they are of other settings, another version or another machine.
    """

    def __init__(
        self, directory: Path, header: Header, *, name: str = RECORDS, resume: bool = False, overwrite: bool = False
    ) -> None:
        self.path = directory / name
        self.header = header
        self.kept: list[Record] = []
        self.torn = False
        self.written = 0
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(directory / ".lock")
        except OSError as error:
            raise ValueError(f"cannot write to {directory}: {_reason(error)}") from error
        try:
            if self.path.exists() and not overwrite:
                self._take_up(resume)
            self._write_anew(self.kept)
            self._file = self._open()
        except OSError as error:
            os.close(self._lock)
            raise ValueError(f"cannot write {self.path}: {_reason(error)}") from error
        except BaseException:
            os.close(self._lock)
            raise

    def _take_up(self, resume: bool) -> None:
        if not resume:
            raise ValueError(
                f"{self.path} holds the records of a run: go on with --resume, replace them with --overwrite, "
                "or choose another --out"
            )
        old = read(self.path)
        if difference := old.header.difference(self.header):
            raise ValueError(f"{self.path} cannot be resumed: {difference} (--overwrite starts again)")
        self.header, self.torn = old.header, old.torn
        self.kept = finished(old.records)

    def _open(self) -> FileIO:
        return open(self.path, "ab", buffering=0)

    def append(self, records: Iterable[Record]) -> None:
        """Write records, a line each, so that a killed process loses none; raises RunError where it cannot."""
        for record in records:
            data = encode(record.to_json())
            try:
                while data:
                    data = data[self._file.write(data) :]
            except OSError as error:
                raise RunError(
                    f"cannot write {self.path}: {_reason(error)}; the {self.written} checks before are kept: "
                    "make room, then go on with --resume"
                ) from error
            self.written += 1

    def replace(self, records: Sequence[Record]) -> None:
        """Put the same records into this order; where they cannot be written, the file stays as it is."""
        self._file.close()
        with suppress(OSError):
            self._write_anew(records)
        self._file = self._open()

    def _write_anew(self, records: Sequence[Record]) -> None:
        """Replace the file in one stroke: at every moment it is either the old one or the new one, whole."""
        fresh = self.path.with_name(self.path.name + ".new")
        lines = [self.header.to_json(), *(record.to_json() for record in records)]
        try:
            fresh.write_bytes(b"".join(map(encode, lines)))
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)
        self.written = len(records)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        os.close(self._lock)


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
