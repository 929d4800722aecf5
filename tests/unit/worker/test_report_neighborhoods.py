"""The report's near-duplicates and outliers, in numbers and as a page."""

from __future__ import annotations

import numpy as np

from lightly.worker.report import neighborhoods
from lightly.worker.report.facts import SelectionFacts
from lightly.worker.report.neighborhood_page import draw_neighborhoods
from lightly.worker.report.neighborhoods import describe_neighborhoods

#: Five places of ten images each, thirty of one thing, and one far from everything.
GENERATOR = np.random.default_rng(3)
PLACES = np.repeat(10 * GENERATOR.normal(size=(5, 16)), 10, axis=0)
BURST = np.repeat(10 * GENERATOR.normal(size=(1, 16)), 30, axis=0)
ALONE = 60 * np.ones((1, 16))
VECTORS = np.concatenate([PLACES + 5 * GENERATOR.normal(size=(50, 16)), BURST, ALONE])


def make_facts(n_images=81, picks=(0, 55, 80)):
    return SelectionFacts(
        embeddings=VECTORS[:n_images].astype(np.float32),
        datapool=np.empty((0, 16), np.float32),
        picks=np.array([pick for pick in picks if pick < n_images]),
        random=np.empty(0, np.int64),
        names={place: f"{place}.jpg" for place in range(n_images)},
        numbers={},
        categories={},
    )


def test_a_burst_is_a_group_and_what_is_far_an_outlier():
    found = describe_neighborhoods(make_facts())

    groups, outliers = found["nearDuplicates"], found["outliers"]
    assert (groups["nGroups"], groups["nGrouped"], groups["nGroupsSelected"]) == (1, 30, 1)
    [burst] = groups["groups"]
    assert (burst["size"], burst["nSelected"], len(burst["fileNames"])) == (30, 1, 20)
    assert burst["fileNames"][0] == "50.jpg"
    assert (outliers["highest"][0]["fileName"], outliers["highest"][0]["isSelected"]) == (
        "80.jpg",
        True,
    )
    assert outliers["quantiles"]["1"] == outliers["highest"][0]["score"]


def test_of_many_images_evenly_spaced_ones_are_compared(monkeypatch):
    monkeypatch.setattr(neighborhoods, "MAX_COMPARED", 27)

    found = describe_neighborhoods(make_facts())

    assert found["nearDuplicates"]["nCompared"] == found["outliers"]["nCompared"] == 27
    names = [one["fileName"] for one in found["outliers"]["highest"]]
    assert {int(name.removesuffix(".jpg")) % 3 for name in names} == {0}


def test_a_single_image_has_nothing_near_it_and_no_page():
    found = describe_neighborhoods(make_facts(1))

    assert found == {}
    assert draw_neighborhoods(found) is None


def test_the_page_tells_how_many_images_are_in_groups():
    figure = draw_neighborhoods(describe_neighborhoods(make_facts()))

    assert figure is not None
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles[0].startswith("30 of 81 images are in 1 groups")
    assert "mean distance to the 10 nearest" in titles[1]


def test_of_long_embeddings_fewer_images_are_compared(monkeypatch):
    monkeypatch.setattr(neighborhoods, "MAX_NUMBERS", 27 * 16)

    found = describe_neighborhoods(make_facts())

    assert found["nearDuplicates"]["nCompared"] == found["outliers"]["nCompared"] == 27
