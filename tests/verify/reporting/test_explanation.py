from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from problems.registry import families, family
from verify.cell import alpha_L
from verify.claim import claims
from verify.reporting.book import address, place
from verify.reporting.explanation import explain
from verify.reporting.sketch import HEIGHT, sketch

ROOT = Path(__file__).parents[3]
WAVES = """
import numpy as np
import problems

def waves():
    task = {
        "value": lambda w: np.cos(w).sum(), "gradient": lambda w: -np.sin(w), "hessian": lambda w: -np.diag(np.cos(w))
    }
    return problems.from_functions([task], dim=2, constants={"L": 1.0, "rho": 1.0, "lower_bound": -2.0, "sigma": 0.0})
"""


@pytest.mark.parametrize(
    ("kind", "name"), [*(("claim", name) for name in claims()), *(("problem", name) for name in families())]
)
def test_every_claim_and_problem_has_its_place_in_the_book(kind: str, name: str) -> None:
    page, anchor = place(kind, name).split("#")
    assert f"({anchor})=" in (ROOT / page).read_text(encoding="utf-8").splitlines()


def test_a_claim_is_explained_with_the_place_of_its_proof() -> None:
    assert re.search(r"^Proof +docs/theory/link\.md#claim-link$", explain("LINK"), flags=re.MULTILINE)


@pytest.mark.parametrize("name", families())
def test_a_problem_is_explained_with_constants_proof_and_what_it_attains(name: str) -> None:
    shown = explain(name)
    built = family(name).build(2, alpha_L("near cap", 2))
    assert f"L = {built.constants.L:.6g}" in shown
    assert f"docs/theory/problems.md#problem-{name}" in shown
    words = " ".join(shown.split())
    assert " ".join((family(name).factory.__doc__ or "").split())[-60:] in words
    line = re.search(r"^Attains +(.*(?:\n {13}.*)*)", shown, flags=re.MULTILINE)
    attained = {made.name for made in claims().values() if name in [on.instance for on in made.attained]}
    assert line is not None
    assert " ".join(line[1].split()) == (", ".join(n for n in claims() if n in attained) or "no bound")


def test_a_users_problem_is_explained_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(WAVES, encoding="utf-8")
    shown = explain(f"{tmp_path / 'mine.py'}:waves")
    assert "L = 1, rho = 1" in shown
    assert "every general claim of the resampling case" in shown
    assert "j = 2" in shown


def test_the_curve_of_a_sketch_is_the_second_derivative() -> None:
    """On the saddle, l'' = −L along the whole path, and +L far away."""
    problem = family("saddle").build(2, 0.1)
    _, *rows, ends = sketch(problem, 0.1 / problem.constants.L)
    assert len(rows) == HEIGHT
    assert {digit for digit in "012" if digit in rows[-1]} == {"0", "1", "2"}
    left, right = (float(x) for x in re.findall(r"-?[\d.]+", ends))
    x = np.linspace(left, right, 65)
    bottom = problem.inner.hvp(x[:, None, None], np.ones((65, 1, 1)))[:, 0, 0] < -0.9 * problem.constants.L
    drawn = np.array([c in "•012" for c in rows[-1][5:].ljust(65)])
    assert (drawn != bottom).sum() <= 2


def test_a_sketch_in_more_dimensions_tells_the_norms_along_the_path() -> None:
    problem = family("convex-quadratic").build(2, 0.1)
    lines = sketch(problem, 0.1 / problem.constants.L)[1:]
    norms = [float(line.split()[-2]) for line in lines]
    assert np.allclose(norms[1:], 0.9 * np.array(norms[:-1]), rtol=2e-3)
    assert all(line.endswith("+1.000") for line in lines)


def test_what_is_neither_a_claim_nor_a_problem_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^'sadle' is neither a claim nor a problem; did you mean saddle\?$"):
        explain("sadle")
    with pytest.raises(ValueError, match=r"^claim = 'lnk' is unknown; did you mean 'link'\?"):
        explain("lnk")


def test_links_lead_from_any_directory_to_the_book(tmp_path: Path) -> None:
    found = address("claim", "link", tmp_path).split("#")[0]
    page = (tmp_path / found).resolve()
    assert page.is_relative_to(ROOT / "docs")
    assert page.stem == "link"
    assert page.is_file()
    assert address("claim", "mine", tmp_path) == ""
    assert address("claim", "bias per task", tmp_path, "https://x.org/b/").startswith(
        "https://x.org/b/theory/bias.html#"
    )
