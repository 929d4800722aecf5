"""The summary's counts add up, and say so when they do not."""

import io

import numpy as np
import pytest
from rich.console import Console

from tools.demo.coverage import compare_with_random
from tools.demo.manifest import DemoFile, DemoFolder
from tools.demo.summary import (
    describe_change,
    describe_copies,
    describe_coverage,
    label_files,
    print_summary,
    settle_accounts,
)


def make_file(name, kind="original", copy_of=""):
    return DemoFile(name, kind, "birds", "test", 10, variant="", copy_of=copy_of)


@pytest.fixture
def folder(tmp_path):
    files = (
        make_file("a.png"),
        make_file("b.png"),
        make_file("a_cropped.jpg", "near_duplicate", "a.png"),
        make_file("b_copy.png", "exact_duplicate", "b.png"),
        make_file("broken.jpg", "corrupt"),
    )
    return DemoFolder(tmp_path, "shipped set", "asked for", 1, files)


UPLOADED = ["a.png", "b.png", "a_cropped.jpg", "b_copy.png"]
REFUSED = {"broken.jpg": "The file is empty."}


@pytest.fixture
def comparison():
    vectors = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    return compare_with_random(vectors, [0, 1])


def test_counts_reconcile(folder):
    accounts = settle_accounts(
        folder, uploaded=UPLOADED, refused=REFUSED, chosen=["a.png", "b.png"]
    )

    assert accounts.errors == ()
    assert accounts.total("found") == accounts.total("uploaded") + accounts.total("refused") == 5
    assert accounts.total("uploaded") == accounts.total("chosen") + accounts.total("left_out") == 4


def test_a_copy_counts_as_chosen_twice_only_beside_its_original(folder):
    chosen = ["a.png", "a_cropped.jpg", "b_copy.png"]

    accounts = settle_accounts(folder, uploaded=UPLOADED, refused=REFUSED, chosen=chosen)

    twice = {count.kind: count.copies_chosen_twice for count in accounts.kinds}
    assert twice["near_duplicate"] == 1
    assert twice["exact_duplicate"] == 0
    assert describe_copies(accounts).value == "1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uploaded": [*UPLOADED, "x.png"]}, "1 on the server but not in the folder: x.png"),
        ({"refused": {**REFUSED, "z": ""}}, "1 refused but not in the folder: z"),
        ({"uploaded": UPLOADED[1:]}, "1 neither uploaded nor refused: a.png"),
        ({"uploaded": [*UPLOADED, "broken.jpg"]}, "1 both uploaded and refused: broken.jpg"),
        ({"chosen": ["y.png"]}, "1 chosen but not uploaded: y.png"),
        ({"uploaded": [*UPLOADED, "broken.jpg"], "refused": {}}, "1 broken but uploaded"),
        ({"uploaded": UPLOADED[1:], "refused": {**REFUSED, "a.png": ""}}, "1 good but refused"),
        ({"uploaded": []}, "4 neither uploaded nor refused: a.png, a_cropped.jpg, b.png, ..."),
    ],
)
def test_every_contradiction_is_named(folder, change, message):
    names = {"uploaded": UPLOADED, "refused": REFUSED, "chosen": [], **change}

    errors = settle_accounts(folder, **names).errors

    assert any(message in error for error in errors)


def print_to_text(folder, comparison, **names):
    output = io.StringIO()
    console = Console(file=output, width=120)
    print_summary(folder, comparison=comparison, console=console, **names)
    return output.getvalue()


def test_the_printed_summary_holds_sums_reasons_and_coverage(folder, comparison):
    text = print_to_text(
        folder, comparison, uploaded=UPLOADED, refused=REFUSED, chosen=["a.png", "b.png"]
    )

    assert "5 files found = 4 uploaded + 1 refused." in text
    assert "4 uploaded = 2 chosen + 2 left out." in text
    assert "The file is empty." in text
    assert f"{comparison.pick.radius:.3f}" in text
    assert f"{comparison.random_radius:.3f}" in text
    assert "Does not add up" not in text


def test_the_printed_summary_shouts_when_counts_do_not_add_up(folder, comparison):
    text = print_to_text(folder, comparison, uploaded=[], refused=REFUSED, chosen=[])

    assert "Does not add up: 4 neither uploaded nor refused" in text


def test_file_names_with_brackets_are_printed_as_they_are(folder, comparison):
    refused = {**REFUSED, "[red]odd[/red].jpg": "[bold]reason[/bold]"}

    text = print_to_text(folder, comparison, uploaded=UPLOADED, refused=refused, chosen=[])

    assert "[bold]reason[/bold]" in text
    assert "1 refused but not in the folder: [red]odd[/red].jpg" in text


def test_the_headline_compares_with_random_picks(comparison):
    facts = {fact.label: fact for fact in describe_coverage(comparison)}

    assert facts["Images"].value == "4"
    assert facts["Chosen"].remark == "2 left out"
    assert f"random {comparison.random_radius:.3f}" in facts["Covering radius"].remark


def test_only_planted_and_changed_files_are_labelled(folder):
    assert label_files(folder) == {"a_cropped.jpg": "near dup", "b_copy.png": "copy"}


@pytest.mark.parametrize(
    ("value", "random", "expected"),
    [
        (0.75, 1.0, "25 % smaller"),
        (1.1, 1.0, "10 % larger"),
        (1.001, 1.0, "the same"),
        # all random picks cover everything
        (0.0, 0.0, "the same"),
        (0.1, 0.0, "larger"),
    ],
)
def test_changes_are_told_in_whole_percent(value, random, expected):
    assert describe_change(value, random) == expected
