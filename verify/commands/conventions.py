"""What every command shares: bad input is one line on standard error and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from theory.validation import suggestion
from verify.running.records import RunError

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Results directory.",
)


class Command(click.Command):
    """Says what is wrong with its input in one line."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run; what click would report on several lines is one."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.ClickException as error:
            fail(error.format_message(), 2)
        except click.Abort:
            sys.exit(130)
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
    """Print one line on standard error and exit."""
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Report bad input (exit 2), and a run that cannot go on (exit 3), in one line."""
    try:
        yield
    except ValueError as error:
        fail(str(error), 2)
    except RunError as error:
        fail(str(error), 3)


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
