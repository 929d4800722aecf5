"""Label files in the YOLO format."""

import pytest

from lightly.utils.cropping.read_yolo_label_file import read_yolo_label_file


@pytest.fixture
def write(tmp_path):
    """Write a label file and return its path."""

    def write_text(text):
        (tmp_path / "a.txt").write_text(text)
        return str(tmp_path / "a.txt")

    return write_text


def sides(box):
    return pytest.approx((box.x0, box.y0, box.x1, box.y1))


def test_each_line_is_a_class_and_a_box(write):
    labels, (first, second) = read_yolo_label_file(write("0 .5 .5 .2 .4\n3 .9 .1 .4 .1\n"), 0)

    assert labels == [0, 3]
    assert sides(first) == (0.4, 0.3, 0.6, 0.7)
    assert sides(second) == (0.7, 0.05, 1, 0.15)


def test_padding_widens_by_a_share_of_the_box(write):
    _, (box,) = read_yolo_label_file(write("0 .5 .5 .2 .4"), 0.1)

    assert sides(box) == (0.39, 0.28, 0.61, 0.72)


def test_blank_lines_scores_and_several_blanks_are_fine(write):
    labels, boxes = read_yolo_label_file(write("\n0  .5 .5  .2 .4 .99\n\n"), 0)

    assert (labels, len(boxes)) == ([0], 1)


def test_an_empty_file_has_no_objects(write):
    assert read_yolo_label_file(write(""), 0.1) == ([], [])


def test_another_separator_can_be_given(write):
    assert read_yolo_label_file(write("2,.5,.5,.2,.4"), 0, ",")[0] == [2]


@pytest.mark.parametrize(
    "line",
    ["0 .5 .5 .2", "0 .5 .5 .2 .4 .9 .9", "cat .5 .5 .2 .4", "0 .5 .5 0 .4", "-1 .5 .5 .2 .4",
     "0.5 .5 .5 .2 .4", "0 nan .5 .2 .4", "inf .5 .5 .2 .4"],
)  # fmt: skip
def test_other_lines_are_named_by_their_number(write, line):
    with pytest.raises(ValueError, match=r"Line 2 of 'a\.txt'"):
        read_yolo_label_file(write(f"0 .5 .5 .2 .4\n{line}\n"), 0)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match="no text file"):
        read_yolo_label_file(str(tmp_path / "a.txt"), 0)
