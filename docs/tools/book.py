"""What the book takes from the code: a problem's picture and proof, and the help of a command."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from problems import family
from verify.commands.main import cli

PICTURES = Path(__file__).parents[1] / "pictures"


class ProblemDirective(SphinxDirective):
    """`{problem} saddle`: case, picture and the docstring that proves the constants of a registered problem."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the docstring as the Markdown that it is."""
        found = family(self.arguments[0])
        picture = PICTURES / f"{found.name}.svg"
        text = [f"*{found.case.capitalize()} case, {found.role}.*", ""]
        if picture.exists():
            text += [f"```{{image}} /pictures/{picture.name}", f":alt: picture of {found.name}", "```", ""]
        text += whole_code(inspect.getdoc(found.factory) or "").splitlines()
        node = nodes.container()
        self.state.nested_parse(StringList(text, source=inspect.getsourcefile(found.factory)), 0, node)
        return node.children


class CommandsDirective(SphinxDirective):
    """`{commands}`: what `python -m verify --help` and the help of each of its commands print."""

    def run(self) -> list[nodes.Node]:
        """Ask the command line itself; one section a command."""
        return [self.command(name) for name in ("", *sorted(cli.commands))]

    def command(self, name: str) -> nodes.Node:
        """Title and help of a command, or of all."""
        arguments = [name] if name else []
        shown = CliRunner().invoke(cli, [*arguments, "--help"], prog_name="python -m verify", terminal_width=100).output
        title = " ".join(["python -m verify", *arguments])
        section = nodes.section("", nodes.title(title, title), nodes.literal_block(shown, shown, language="text"))
        section["ids"] = [nodes.make_id(title)]
        return section


SECTION = re.compile(r"^(\w+)\n-{3,}$", flags=re.MULTILINE)
ENTRY = re.compile(r"^([A-Za-z_][\w, ]*) : (.*)$", flags=re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def whole_code(docstring: str) -> str:
    """Put code that a line break divides on one line: what begins a line might be taken for markup."""
    return CODE.sub(lambda found: found[0].replace("\n", " "), docstring)


def restructured(docstring: str) -> str:
    """Return a docstring of this house as reStructuredText.

    It is plain text with code between backticks, and with sections of entries `name : what it is`. A bar is a bar.
    """
    pieces = CODE.split(whole_code(docstring))
    pieces[::2] = [ENTRY.sub(r"**\1**\n    \2", piece.replace("|", r"\|")) for piece in pieces[::2]]
    pieces[1::2] = [rf"\ ``{code}``\ " for code in pieces[1::2]]
    return SECTION.sub(r".. rubric:: \1\n", "".join(pieces))


def plain(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite the docstring that autodoc has read."""
    lines[:] = restructured("\n".join(lines)).split("\n")


def setup(app: Any) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("problem", ProblemDirective)
    app.add_directive("commands", CommandsDirective)
    app.connect("autodoc-process-docstring", plain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
