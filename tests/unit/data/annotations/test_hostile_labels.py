"""Labels that are wrong, or made to do harm, are refused with file, place and rule."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lightly._kit.errors import BadInput
from lightly.data.annotations.coco import read_coco
from lightly.data.annotations.conversion import Source, Target, convert_annotations
from lightly.data.annotations.image_sizes import ImageFolder
from lightly.data.annotations.labelme import read_labelme
from lightly.data.annotations.lightly_files import write_lightly
from lightly.data.annotations.masks import (
    decode_coco_counts,
    draw_polygons,
    encode_coco_counts,
    find_box,
    link_polygons,
    trace_polygons,
)
from lightly.data.annotations.model import AnnotatedImage, Annotations
from lightly.data.annotations.pascal_voc import read_pascal_voc
from lightly.data.annotations.yolo import read_yolo
from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.prediction_tasks import make_schema
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask

BOX = {"image_id": 1, "category_id": 0, "bbox": [1, 2, 3, 4]}
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 10, "height": 8}],
    "annotations": [BOX],
    "categories": [{"id": 0, "name": "cat"}],
}


def read_coco_content(tmp_path, content, **options):
    path = tmp_path / "coco.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return list(read_coco(path, **options).images)


def with_annotation(**changes):
    return COCO | {"annotations": [BOX | changes]}


def with_mask(segmentation):
    return with_annotation(segmentation=segmentation)


@pytest.mark.parametrize(
    ("content", "place", "rule"),
    [
        ("{", "coco.json", "no valid JSON"),
        ("[]", "coco.json", "object"),
        ({"images": []}, "categories", "is missing"),
        (with_annotation(bbox=[1, 2, 3]), "annotations.0.bbox", "4 or more"),
        (with_annotation(bbox=[1, 2, 3, "x"]), "annotations.0.bbox.3", "a number"),
        (with_annotation(bbox=[1, 2, 3, float("nan")]), "annotations.0.bbox.3", "finite"),
        (with_annotation(score=2), "annotations.0.score", "1.0 or less"),
        (with_mask([[1, 2, 3]]), "annotations.0", "three corners"),
        (with_mask([[1, 2, 3, 4, 5, 6, 7]]), "annotations.0", "three corners"),
        (with_mask([[0, 0, 1e30, 0, 1, 1]]), "annotations.0", "far outside"),
        (with_mask([["a"] * 6]), "annotations.0", "polygons or run lengths"),
        (with_mask("poly"), "annotations.0", "polygons or run lengths"),
        (with_mask({"size": [8, 9], "counts": [72]}), "annotations.0", "size of its image"),
        (with_mask({"size": [8, 10], "counts": [79]}), "annotations.0", "add up to 80"),
        (with_mask({"size": [8, 10], "counts": [90, -10]}), "annotations.0", "0 or more"),
        (with_mask({"size": [8, 10], "counts": "~~~"}), "annotations.0", "characters"),
        (with_mask({"size": [8, 10], "counts": "PPPP"}), "annotations.0", ""),
        (with_mask({"size": 8, "counts": []}), "annotations.0", ""),
        (with_mask({"counts": []}), "annotations.0", ""),
        (with_annotation(keypoints=[1, 2]), "annotations.0", "triples"),
    ],
)
def test_a_wrong_coco_file_is_refused(tmp_path, content, place, rule):
    with pytest.raises(FileInvalid) as caught:
        read_coco_content(tmp_path, content)

    assert place in f"{caught.value.file} {caught.value.key}"
    assert rule in caught.value.rule


def test_a_coco_mask_of_a_huge_image_is_not_drawn(tmp_path):
    image = {"id": 1, "file_name": "a.jpg", "width": 10**6, "height": 10**6}
    content = with_mask([[0, 0, 1, 0, 1, 1]]) | {"images": [image]}

    with pytest.raises(FileInvalid, match="pixels"):
        read_coco_content(tmp_path, content)


def test_coco_results_take_the_place_of_annotations(tmp_path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps([BOX | {"score": 0.25}, BOX | {"image_id": 5, "score": 0.5}]))
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(COCO))
    read = read_coco(path, results=results)

    ((prediction,),) = [image.predictions for image in read.images]
    assert prediction["score"] == 0.25
    assert read.skipped == {"annotations of images that the file does not have": 1}


def test_boxes_that_stick_out_are_cut_where_the_image_begins(tmp_path):
    (image,) = read_coco_content(tmp_path, with_annotation(bbox=[-2, -1, 10, 10]))

    assert image.predictions[0]["bbox"] == [0, 0, 8, 9]


def test_keypoints_of_coco_come_back_with_their_visibility(tmp_path):
    keypoints = [1, 2, 2, 3, 4, 1, 0, 0, 0]
    category = {"id": 0, "name": "cat", "keypoints": ["a", "b", "c"], "skeleton": [[1, 2], [2, 3]]}
    path = tmp_path / "coco.json"
    content = with_annotation(keypoints=keypoints) | {"categories": [category]}
    path.write_text(json.dumps(content))
    source = Source("lightly", tmp_path / "out", task_name="t")
    convert_annotations(Source("coco", path), Target("lightly", tmp_path / "out", task_name="t"))
    convert_annotations(source, Target("coco", tmp_path / "back.json"))

    back = json.loads((tmp_path / "back.json").read_text())
    assert back["annotations"][0]["keypoints"] == keypoints
    assert back["categories"][0]["skeleton"] == category["skeleton"]


@pytest.fixture
def yolo(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "images").mkdir()
    Image.new("RGB", (10, 8)).save(tmp_path / "images/a.png")
    (tmp_path / "data.yaml").write_text("names: {0: cat, 1: dog}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("x 1 1 1 1", "must be numbers"),
        ("0 0.5 0.5 nan 0.5", "finite"),
        ("0 0.5 0.5 0.5", "5 or 6 numbers"),
        ("2 0.5 0.5 0.5 0.5", "a class from 0 to 1"),
        ("-1 0.5 0.5 0.5 0.5", "a class from 0 to 1"),
        ("0.5 0.5 0.5 0.5 0.5", "a class from 0 to 1"),
        ("0 0.5 0.5 0.5 0.5 7", "a score from 0 to 1"),
        ("0 1 1 1 1 1 1 1 1e9", "far outside"),
    ],
)
def test_a_wrong_line_of_yolo_is_refused(yolo, line, rule):
    (yolo / "labels/a.txt").write_text(f"\n{line}\n")

    with pytest.raises(FileInvalid, match=rule) as caught:
        list(read_yolo(yolo).images)
    assert (caught.value.file, caught.value.key) == ("a.txt", "line 2")


@pytest.mark.parametrize(
    "settings",
    [
        "names: 3",
        "names: {1: a}",
        "nothing",
        "{",
        "names: [a]\nkpt_shape: [1, 9]",
        "!!python/object/apply:os.system ['exit 1']",
        "a: &a [x]\nb: &b [*a, *a]\nnames: [*b, *b]",
    ],
)
def test_wrong_settings_of_yolo_are_refused(yolo, settings):
    (yolo / "data.yaml").write_text(settings)

    with pytest.raises(FileInvalid, match=r"data\.yaml"):
        read_yolo(yolo)


def test_yolo_needs_the_images_and_the_names(yolo, tmp_path):
    (yolo / "labels/b.txt").write_text("0 0.5 0.5 0.5 0.5")
    with pytest.raises(BadInput, match=r"no image for the labels 'b\.txt'"):
        list(read_yolo(yolo).images)

    (yolo / "data.yaml").unlink()
    with pytest.raises(BadInput, match="what the classes are called"):
        read_yolo(yolo)


def test_keypoints_of_yolo_come_back(yolo):
    (yolo / "data.yaml").write_text("names: [cat]\nkpt_shape: [2, 3]\n")
    (yolo / "labels/a.txt").write_text("0 0.5 0.5 1 1 0.1 0.25 2 0.5 0.5 1\n")
    (image,) = read_yolo(yolo).images

    assert image.predictions[0]["keypoints"] == pytest.approx([1, 2, 1, 5, 4, 0.5])


VOC = (
    "<annotation><filename>a.jpg</filename><object><name>cat</name><bndbox><xmin>1</xmin>"
    "<ymin>2</ymin><xmax>{}</xmax><ymax>9</ymax></bndbox></object></annotation>"
)
BILLION = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    "<annotation><filename>&b;</filename></annotation>"
)
FOREIGN = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><annotation>&f;</annotation>'


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("<annotation>", "no valid XML"),
        (BILLION, "entities"),
        (FOREIGN, "entities"),
        (VOC.format("x"), "four numbers"),
        (VOC.format("inf"), "xmin below xmax"),
        (VOC.format("0"), "xmin below xmax"),
        (VOC.replace("cat", "").format("5"), "a name"),
    ],
)
def test_a_wrong_voc_file_is_refused(tmp_path, content, rule):
    (tmp_path / "a.xml").write_text(content)

    with pytest.raises(FileInvalid, match=rule):
        list(read_pascal_voc(tmp_path).images)


def test_entities_in_another_encoding_do_not_grow(tmp_path):
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE x [<!ENTITY e0 "{"a" * 99}">{bomb}]><annotation>&e11;</annotation>'
    (tmp_path / "a.xml").write_bytes(text.encode("utf-16"))

    with pytest.raises(FileInvalid, match="no valid XML"):
        list(read_pascal_voc(tmp_path).images)


def test_deep_xml_is_harmless(tmp_path):
    (tmp_path / "a.xml").write_text("<annotation>" + "<a>" * 100_000)

    with pytest.raises(FileInvalid, match="no valid XML"):
        read_pascal_voc(tmp_path)


SHAPE = {"label": "cat", "points": [[1, 1], [5, 1], [5, 5]], "shape_type": "polygon"}


def write_labelme_file(tmp_path, **changes):
    content = {"imagePath": "a.jpg", "imageHeight": 8, "imageWidth": 10, "shapes": [SHAPE]}
    (tmp_path / "a.json").write_text(json.dumps(content | changes))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"shapes": 3}, "a list"),
        ({"shapes": [SHAPE | {"points": [[1]]}]}, "2 or more"),
        ({"shapes": [SHAPE | {"points": [[1, 1], [2, 2]]}]}, "three points"),
        ({"shapes": [SHAPE | {"points": [[0, 0], [9e9, 0], [1, 1]]}]}, "far outside"),
        ({"shapes": [SHAPE | {"shape_type": "mask"}]}, "two points"),
        ({"shapes": [SHAPE | {"shape_type": "circle"}]}, "two points"),
        ({"imageHeight": None}, "size of the image"),
        ({"imageWidth": 10**9, "imageHeight": 10**9}, "pixels"),
    ],
)
def test_a_wrong_file_of_labelme_is_refused(tmp_path, changes, rule):
    write_labelme_file(tmp_path, **changes)

    with pytest.raises((FileInvalid, BadInput), match=rule):
        list(read_labelme(tmp_path, task_type="instance-segmentation").images)


@pytest.mark.parametrize("mask", ["", "!!", base64.b64encode(b"no picture").decode()])
def test_a_mask_that_is_no_picture_is_refused(tmp_path, mask):
    shape = SHAPE | {"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": mask}
    write_labelme_file(tmp_path, shapes=[shape])

    with pytest.raises(FileInvalid, match=r"shapes\.0: a mask must be a PNG"):
        list(read_labelme(tmp_path).images)


@pytest.mark.parametrize(
    ("image_path", "expected"),
    [
        ("b.jpg", "b.jpg"),
        ("../../etc/x.png", "a.png"),
        ("/abs/x.png", "a.png"),
        ("..\\img\\x.png", "a.png"),
        ("C:\\x.png", "a.png"),
        ("sub/./b.jpg", "sub/b.jpg"),
    ],
)
def test_images_of_labelme_stay_in_the_folder(tmp_path, image_path, expected):
    write_labelme_file(tmp_path, imagePath=image_path)

    assert [image.name for image in read_labelme(tmp_path).images] == [expected]


def test_two_images_that_would_share_a_file_are_refused(tmp_path):
    images = [AnnotatedImage(name, None, None, []) for name in ("a.jpg", "a.png")]

    with pytest.raises(BadInput, match="share one file"):
        write_lightly(Annotations(make_schema("classification", []), images), tmp_path, "t")


def test_the_size_of_an_image_is_that_in_which_it_is_seen(tmp_path):
    picture = Image.new("RGB", (10, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)

    assert ImageFolder(tmp_path).measure("a.jpg") == (8, 10)


@pytest.mark.parametrize("format_", ["coco", "yolo", "pascal-voc", "labelme"])
def test_what_a_format_has_not_is_refused_by_name(tmp_path, format_):
    schema = make_schema(
        "semantic-segmentation" if format_ != "pascal-voc" else "classification", []
    )
    write_lightly(Annotations(schema, []), tmp_path, "t")

    with pytest.raises(BadInput, match="has no annotations of type"):
        convert_annotations(
            Source("lightly", tmp_path, task_name="t"), Target(format_, tmp_path / "out")
        )


masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: st.lists(
        st.lists(st.booleans(), min_size=size[0], max_size=size[0]),
        min_size=size[1],
        max_size=size[1],
    ).map(np.array)
)


@given(mask=masks)
def test_masks_come_back_from_the_counts_of_coco(mask):
    height, width = mask.shape
    counts = encode_coco_counts(encode_mask(mask), width, height)

    assert np.array_equal(decode_coco_counts(counts, width, height), mask)


@given(mask=masks)
def test_compressed_counts_are_read_as_cocos_own_tools_write_them(mask):
    from pycocotools import mask as coco

    height, width = mask.shape
    text = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()

    assert np.array_equal(decode_coco_counts(text, width, height), mask)


@given(text=st.text(max_size=30), size=st.integers(1, 20))
def test_no_text_crashes_the_reader_of_compressed_counts(text, size):
    try:
        decode_coco_counts(text, size, size)
    except BadInput:
        return


@given(left=st.integers(0, 20), top=st.integers(0, 20), w=st.integers(3, 12), h=st.integers(3, 12))
def test_traced_polygons_lie_around_their_mask(left, top, w, h):
    mask = np.zeros((40, 40), bool)
    mask[top : top + h, left : left + w] = True
    mask[36:39, 36:39] = True
    polygons = trace_polygons(mask)

    drawn = draw_polygons([link_polygons(polygons)], 40, 40)
    assert len(polygons) == 2
    assert not (drawn & ~mask).any()
    assert (mask & ~drawn).sum() <= w + h + 6 + 2
    assert find_box(mask)[:2] == [left, top]


def test_a_run_length_that_does_not_fit_is_refused():
    with pytest.raises(BadInput, match="add up to 3"):
        decode_mask([3], 2, 2)
