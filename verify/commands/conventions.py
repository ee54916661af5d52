"""What every command shares: bad input is one line on standard error and exit code 2, a failure one and 3."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from theory.validation import one_line, printable, suggestion
from verify.running.records import RunError, Stream, reading


class Command(click.Command):
    """Says in one line what is wrong with its input, or why it failed."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run; what click or Python would report on several lines is one. `python -X dev` shows where it failed."""
        _prepare_output()
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except click.ClickException as error:
            fail(error.format_message(), 2)
        except click.Abort:
            sys.exit(130)
        except SystemExit as error:
            if error.code == 1:  # click, where a pipe is closed: 1 would be a violated bound
                _fail_to_write("standard output was closed")
            raise
        except OSError as error:
            _fail_to_write(one_line(error))
        except Exception as error:
            if sys.flags.dev_mode:
                raise
            at = traceback.extract_tb(error.__traceback__)[-1]
            fail(f"internal failure: {one_line(error)} ({Path(at.filename).name}, line {at.lineno})", 3)
        sys.exit(code if isinstance(code, int) else 0)


class Cli(Command, click.Group):
    """Runs the suite where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read options without a command as those of `run`."""
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for one that is unknown."""
        if self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            hint = suggestion(args[0], known) or f" ({', '.join(known)})"
            raise click.UsageError(f"command = {args[0]!r} is unknown{hint}")
        return super().resolve_command(ctx, args)


def fail(message: str, code: int) -> NoReturn:
    """Print one line on standard error, if it can be written to, and exit."""
    with suppress(OSError):
        click.echo(f"error: {printable(message)}", err=True)
    sys.exit(code)


def _prepare_output() -> None:
    """Have somewhere to write where standard output is closed, and replace what its encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (until the process ends)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _fail_to_write(reason: str) -> NoReturn:
    """Fail, and write nothing more, also not when Python ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    fail(f"cannot go on: {reason}", 3)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Report bad input (exit 2), and a run that cannot go on (exit 3), in one line."""
    try:
        yield
    except ValueError as error:
        fail(str(error), 2)
    except RunError as error:
        fail(str(error), 3)


@contextmanager
def reading_and_telling(path: Path) -> Iterator[Stream]:
    """Take the records of a run one by one, and say on standard error where a torn last line was dropped."""
    with reading(path) as stream:
        yield stream
    if stream.torn:
        warn(f"dropped the torn last line of {path}")


def warn(message: str) -> None:
    """Print one line on standard error."""
    click.echo(f"warning: {printable(message)}", err=True)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def integers(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Read the integers of an option, separated by commas; none where the option is absent."""
    if value is None:
        return ()
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not allowed: integers >= 0, separated by commas", context, option
        ) from None
