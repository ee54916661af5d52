"""Each figure can be drawn: files, fonts, and nothing on top of anything else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from figures import divergence
from figures.drawing import STYLE, save
from figures.figure import named
from figures.table import Table
from problems.registry import families


def test_it_is_drawn_from_saved_data_with_a_caption_of_one_line(drawable: tuple[str, Table], tmp_path: Path) -> None:
    name, table = drawable
    table.write(tmp_path / "data.csv")
    (caption,) = save(named(name), Table.read(tmp_path / "data.csv"), tmp_path, ())
    assert caption == tmp_path / f"{name}.md"
    text = caption.read_text(encoding="utf-8")
    assert text.startswith(f"**{named(name).question}** ")
    assert text.count("\n") == 1
    assert not re.search(r"\b(nan|inf)\b|\{[a-z]", text.replace("{w_k}", ""))


@pytest.mark.parametrize("drawable", ["divergence", "tightness"], indirect=True)
def test_a_pdf_embeds_its_fonts_and_holds_no_pixels(drawable: tuple[str, Table], tmp_path: Path) -> None:
    name, table = drawable
    pdf = save(named(name), table, tmp_path, ("pdf",))[0].read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"/Subtype /Image" not in pdf


def test_the_same_data_give_the_same_files(compute: Callable[..., Table], tmp_path: Path) -> None:
    figure, table = named("phase"), compute("phase", N=(1, 50))
    first, second = ([path.read_bytes() for path in save(figure, table, tmp_path, ("pdf", "svg"))] for _ in range(2))
    assert first == second
    assert b"<svg" in first[1]


def test_nothing_is_empty_cut_off_or_overlapping(drawable: tuple[str, Table]) -> None:
    name, table = drawable
    with matplotlib.rc_context(fname=str(STYLE)):
        picture = named(name).draw(table)
        renderer = FigureCanvasAgg(picture).get_renderer()
        picture.draw_without_rendering()
        legends = [legend.get_window_extent(renderer) for legend in picture.legends]
        for ax in picture.axes:
            assert ax.collections or ax.patches or any(np.isfinite(line.get_ydata()).any() for line in ax.lines)
            legends += [legend.get_window_extent(renderer) for legend in [ax.get_legend()] if legend is not None]
            for axis in (ax.xaxis, ax.yaxis):
                labels = [text for text in axis.get_ticklabels() if text.get_text() and text.get_rotation() == 0]
                assert labels or name == "tightness" or ax is not picture.axes[-1]
                boxes = [text.get_window_extent(renderer) for text in labels]
                assert not overlapping([box for box in boxes if box.width > 0])
        panels = [ax.get_window_extent(renderer) for ax in picture.axes]
        assert not overlapping([*panels, *legends])
        width, height = picture.get_size_inches()
        assert width in (3.4, 6.8)  # of one column, or of two
        assert height < 7
        tight = picture.get_tightbbox(renderer)
    assert min(tight.x0, tight.y0) > -0.01
    assert tight.x1 < width + 0.01
    assert tight.y1 < height + 0.01


@pytest.mark.parametrize("drawable", ["divergence"], indirect=True)
def test_the_band_leaves_a_tenth_out_on_each_side(drawable: tuple[str, Table]) -> None:
    name, table = drawable
    with matplotlib.rc_context(fname=str(STYLE)):
        (band,) = named(name).draw(table).axes[0].collections
    edges = np.asarray(band.get_paths()[0].vertices)[:, 1]
    drawn = table.select(series=divergence.TYPICAL, N=1)["critical_alpha_L"]
    assert (edges.min(), edges.max()) == pytest.approx(tuple(np.quantile(drawn, (0.1, 0.9))))


def overlapping(boxes: list[Bbox]) -> bool:
    return any(a.padded(-0.5).overlaps(b.padded(-0.5)) for a, b in itertools.combinations(boxes, 2))


def test_every_registered_problem_of_a_caption_is_explained_in_it(drawable: tuple[str, Table]) -> None:
    name, table = drawable
    caption = named(name).caption(table)
    told, _, explained = caption.partition("The problem")
    named_there = {problem for problem in families() if re.search(rf"\b{problem}\b(?!-)", told)}
    assert name == "tightness" or {problem for problem in named_there if f"{problem}, " not in explained} == set()
