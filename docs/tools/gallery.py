"""Renew the figures of the gallery: `python docs/tools/gallery.py`, or from a folder that `python -m figures` filled.

Keeps each picture, with as many colours as it needs, and its caption; the data stay where they were computed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parents[1] / "figures"
COLOURS = 48


def main() -> None:
    """Compute all figures, or take those of the folder that is given."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as computed:
        source = sys.argv[1] if len(sys.argv) > 1 else computed
        if source == computed:
            subprocess.run([sys.executable, "-m", "figures", "--format", "png", "--out", computed], check=True)
        for picture in sorted(Path(source).glob("*.png")):
            small = Image.open(picture).convert("RGB").quantize(COLOURS)
            small.save(FOLDER / picture.name, optimize=True)
            (FOLDER / f"{picture.stem}.md").write_bytes(picture.with_suffix(".md").read_bytes())


if __name__ == "__main__":
    main()
