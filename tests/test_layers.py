"""Imports run one way, `theory <- problems <- verify <- figures`, and what is slow to import is imported where used."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("theory", "problems", "verify", "figures")
SLOW = {"scipy", "rich", "jinja2", "distributed", "dask", "sklearn", "threadpoolctl", "markupsafe"}
SLOW |= {"jax", "torch", "array_api_compat"}
LAZY = {
    "problems/user/jax_loss.py",
    "problems/user/torch_loss.py",
    "verify/reporting/bar.py",
    "verify/reporting/display.py",
    "verify/reporting/progress.py",
}  # itself imported where it is used
FILES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def imports(body: list[ast.stmt] | ast.AST) -> Iterator[str]:
    """Names of modules imported anywhere below."""
    for node in ast.walk(body) if isinstance(body, ast.AST) else (n for part in body for n in ast.walk(part)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield str(node.module)


def top_level(tree: ast.Module) -> Iterator[str]:
    """Names of modules imported when the module is, whatever `if`, `try` or class they stand in."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            pending += ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way_and_slow_ones_wait(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    layer = LAYERS.index(path.relative_to(ROOT).parts[0])
    packages = {name.split(".")[0] for name in imports(tree)}
    assert packages.isdisjoint(LAYERS[layer + 1 :])
    assert "tests" not in packages
    if LAYERS[layer] != "figures":
        assert "matplotlib" not in packages
        if str(path.relative_to(ROOT)) not in LAZY:
            assert SLOW.isdisjoint(name.split(".")[0] for name in top_level(tree))


def test_the_rule_is_one_that_can_be_broken() -> None:
    tree = ast.parse("try:\n    import scipy.optimize\nfinally:\n    pass\ndef f():\n    import rich\n")
    assert list(top_level(tree)) == ["scipy.optimize"]
    assert set(imports(tree)) == {"scipy.optimize", "rich"}
