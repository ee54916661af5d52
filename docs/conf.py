"""The book: Sphinx, MyST and furo. Build it with `python -m sphinx -W docs docs/_build`."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tools"))

project = "Verification suite for the convergence theory of multi-step MAML"
author = "The maml-theory-verification authors"
version = release = installed("maml-theory-verification")
copyright = "2026, the maml-theory-verification authors"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx-mathjax-offline",
    "book",
]
exclude_patterns = ["_build", "templates", "tools", "figures"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
numfig = True  # so that formulas are numbered by page, and no two alike
numfig_secnum_depth = 2

autodoc_preserve_defaults = True
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "Multi-step MAML, verified"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_show_copyright = False
html_copy_source = False

mathjax3_config = {
    "tex": {
        "macros": {
            "norm": [r"\lVert #1 \rVert", 1],
            "abs": [r"\lvert #1 \rvert", 1],
            "ip": [r"\langle #1 \rangle", 1],
            "E": r"\operatorname{\mathbb{E}}",
            "R": r"\mathbb{R}",
            "Re": r"\operatorname{Re}",
            "Im": r"\operatorname{Im}",
            "ghat": r"\widehat{G}",
            "Lhat": r"\widehat{L}",
            "cap": r"\alpha_{\mathrm{cap}}",
            "Lmeta": r"\mathcal{L}",
        }
    }
}
