"""The contact sheet shows every picture, whatever its name and mode."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from tools.demo.contact_sheet import CHOSEN_GRID, LEFT_OUT_GRID, WIDTH_PX, draw_contact_sheet
from tools.demo.coverage_plot import choose_ticks, draw_coverage_plot
from tools.demo.drawing import GREEN, Fact, load_tile

FACTS = [Fact("Covering radius", "0.700", "random 0.900: 22 % smaller", is_good=True)]


def make_picture(path, colour, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 40), colour).convert(mode).save(path)
    return path


def draw(tmp_path, chosen, left_out, **options):
    out = tmp_path / "sheet.png"
    options = {"nearest": [(0, 0.25)] * len(left_out), **options}
    draw_contact_sheet(chosen, left_out, out, title="A few of many", facts=FACTS, **options)
    with Image.open(out) as image:
        return np.asarray(image.convert("RGB"))


def count_pixels(sheet, colour):
    return int((sheet == np.array(ImageColor.getrgb(colour))).all(axis=2).sum())


def find_first(sheet, colour):
    """Row and column of the first pixel of a colour, in reading order."""
    rows, columns = np.nonzero((sheet == np.array(ImageColor.getrgb(colour))).all(axis=2))
    return int(rows[0]), int(columns[0])


def test_every_picture_is_drawn_once(tmp_path):
    chosen = [make_picture(tmp_path / "a.png", "#aa0000")]
    left_out = [make_picture(tmp_path / "b.png", "#0000aa")]

    sheet = draw(tmp_path, chosen, left_out)

    chosen_side = min(CHOSEN_GRID.side - 10, 80)
    left_out_side = LEFT_OUT_GRID.side - 6
    # The number of a chosen picture covers one of its corners.
    assert 0.9 * chosen_side**2 < count_pixels(sheet, "#aa0000") <= chosen_side**2
    assert count_pixels(sheet, "#0000aa") == left_out_side**2


def test_chosen_pictures_are_above_left_out_ones(tmp_path):
    chosen = [make_picture(tmp_path / "a.png", "#aa0000")]
    left_out = [make_picture(tmp_path / "b.png", "#0000aa")]

    sheet = draw(tmp_path, chosen, left_out)

    assert find_first(sheet, "#aa0000") < find_first(sheet, "#0000aa")


def test_left_out_pictures_are_ordered_by_their_nearest_chosen_one(tmp_path):
    chosen = [make_picture(tmp_path / f"{name}.png", "#aa0000") for name in "ab"]
    left_out = [
        make_picture(tmp_path / "far.png", "#000055"),
        make_picture(tmp_path / "near.png", "#0000aa"),
        make_picture(tmp_path / "first.png", "#0000ff"),
    ]

    sheet = draw(tmp_path, chosen, left_out, nearest=[(1, 0.9), (1, 0.1), (0, 0.5)])

    columns = [find_first(sheet, colour)[1] for colour in ("#0000ff", "#0000aa", "#000055")]
    assert columns == sorted(columns)


def test_chosen_pictures_have_a_green_frame(tmp_path):
    one = [make_picture(tmp_path / "a.png", "#aa0000")]
    two = [*one, make_picture(tmp_path / "b.png", "#aa0000")]

    assert count_pixels(draw(tmp_path, two, []), GREEN) > count_pixels(
        draw(tmp_path, one, []), GREEN
    )


@pytest.mark.parametrize("name", ["Übergröße.png", "写真 👩🏽\u200d🚀.png", "100% #1 & c.png"])
def test_unusual_names_are_drawn(tmp_path, name):
    sheet = draw(tmp_path, [make_picture(tmp_path / name, "#aa0000")], [])

    assert count_pixels(sheet, "#aa0000")


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGBA", "png"), ("P", "png"), ("L", "png"), ("1", "png"), ("CMYK", "jpg"), ("I;16", "png")],
)
def test_odd_modes_are_drawn(tmp_path, mode, suffix):
    if mode == "I;16":
        path = tmp_path / "deep.png"
        Image.fromarray(np.full((40, 40), 30_000, np.uint16)).save(path)
    else:
        path = make_picture(tmp_path / f"odd.{suffix}", "#808080", mode)

    tile = np.asarray(load_tile(path, 66, padding_px=3))

    assert tile[33, 33].tolist() != [255, 255, 255] or mode == "1"


def test_a_tile_keeps_the_shape_of_the_picture(tmp_path):
    path = tmp_path / "wide.png"
    Image.new("RGB", (200, 50), "#aa0000").save(path)

    tile = np.asarray(load_tile(path, 100, padding_px=0))

    red = (tile == [170, 0, 0]).all(axis=2)
    assert (int(red.any(axis=0).sum()), int(red.any(axis=1).sum())) == (100, 25)


def test_a_broken_file_does_not_stop_the_sheet(tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")

    sheet = draw(tmp_path, [broken], [broken])

    assert sheet.shape[1] == WIDTH_PX


def test_a_sheet_grows_with_its_pictures(tmp_path):
    picture = make_picture(tmp_path / "a.png", "#aa0000")

    small, large = (draw(tmp_path, [picture], [picture] * count) for count in (1, 23))

    row = LEFT_OUT_GRID.side + LEFT_OUT_GRID.gap + LEFT_OUT_GRID.caption
    assert large.shape[0] - small.shape[0] == row


def test_a_missing_distance_is_refused(tmp_path):
    picture = make_picture(tmp_path / "a.png", "#aa0000")

    with pytest.raises(ValueError, match="shorter"):
        draw(tmp_path, [picture], [picture, picture], nearest=[(0, 0.1)])


def test_a_failed_drawing_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="longer"):
        draw(tmp_path, [], [], nearest=[(0, 0.1)])

    assert list(tmp_path.iterdir()) == []


def test_the_coverage_plot_draws_the_pick_in_green(tmp_path):
    vectors = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)

    draw_coverage_plot(vectors, [1, 2, 3, 4], tmp_path / "plot.png", title="Coverage", repeats=3)

    with Image.open(tmp_path / "plot.png") as image:
        assert count_pixels(np.asarray(image), GREEN) > 500


@pytest.mark.parametrize("rows", [2, 3])
def test_the_coverage_plot_stands_identical_vectors(tmp_path, rows):
    vectors = np.ones((rows, 4), np.float32)

    draw_coverage_plot(vectors, [0, 1], tmp_path / "plot.png", title="Coverage", repeats=2)

    assert (tmp_path / "plot.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (1.1, 1.4, [1.1, 1.2, 1.3, 1.4]),
        (0.63, 0.66, [0.63, 0.64, 0.65, 0.66]),
        # a flat curve still gets a scale
        (1.0, 1.0, [1.0, 1.01]),
        (0.0, 0.0, [0.0, 0.01]),
    ],
)
def test_ticks_are_round_and_enclose_the_range(low, high, expected):
    ticks = choose_ticks(low, high)

    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= high - 1e-6
    assert ticks == pytest.approx(expected)
