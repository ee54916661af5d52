"""The adapters among the examples compute what they say, each in its library."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from verify.implementation.check import check
from verify.implementation.loading import load

EXAMPLES = Path(__file__).parents[1] / "examples" / "implementations"

EXPECTED = {
    "with_higher.py:meta_gradient": "exact",
    "with_jax.py:meta_gradient": "exact",
    "with_learn2learn.py:first_order": "first-order",
    "with_learn2learn.py:meta_gradient": "exact",
    "with_numpy.py:meta_gradient": "exact",
    "with_pytorch.py:meta_gradient": "exact",
    "with_pytorch.py:without_create_graph": "first-order",
    "with_torch_func.py:meta_gradient": "exact",
    "with_torchopt.py:meta_gradient": "exact",
}

NEEDS = {
    "with_higher.py": ("torch", "higher", "array_api_compat"),
    "with_jax.py": ("jax", "array_api_compat"),
    "with_learn2learn.py": ("torch", "learn2learn", "array_api_compat"),
    "with_numpy.py": (),
    "with_pytorch.py": ("torch", "array_api_compat"),
    "with_torch_func.py": ("torch", "array_api_compat"),
    "with_torchopt.py": ("torch", "torchopt", "array_api_compat"),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script.:DeprecationWarning")  # torch.func's own
@pytest.mark.parametrize("spec", list(EXPECTED))
def test_an_adapter_computes_what_it_says(spec: str) -> None:
    missing = [name for name in NEEDS[spec.split(":")[0]] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert check(load(f"{EXAMPLES / spec}")).diagnosis.name == EXPECTED[spec]


def test_each_docstring_shows_the_commands_of_its_adapters() -> None:
    shown = []
    for file in sorted(EXAMPLES.glob("*.py")):
        docstring = file.read_text(encoding="utf-8").split('"""')[1]
        found = re.findall(r"python -m verify implementation examples/implementations/(\S+)", docstring)
        assert {spec.split(":")[0] for spec in found} == {file.name}
        shown += found
    assert sorted(shown) == list(EXPECTED)
