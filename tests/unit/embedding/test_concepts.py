"""Words for classes."""

from __future__ import annotations

import pytest

from lightly.embedding.concepts import load_vocabulary

VOCABULARY = load_vocabulary()


def test_each_of_the_thousand_classes_has_a_name_of_its_own():
    assert len(VOCABULARY.class_names) == 1000
    assert len(set(VOCABULARY.class_names)) == 1000


@pytest.mark.parametrize("word", ["dog", "Dogs", " DOG ", "domestic_dog", "canis familiaris"])
def test_a_word_is_found_however_it_is_written(word):
    concept = VOCABULARY.find(word)

    assert concept is not None
    assert len(concept.classes) == 118


def test_what_a_class_is_a_kind_of_stands_for_it():
    vehicle = VOCABULARY.find("vehicle")
    ambulance = VOCABULARY.find("ambulance")

    assert vehicle is not None
    assert ambulance is not None
    assert set(ambulance.classes) < set(vehicle.classes)


def test_a_word_with_two_senses_stands_for_both():
    crane = VOCABULARY.find("crane")

    assert crane is not None
    names = [VOCABULARY.class_names[number] for number in crane.classes]
    assert names == ["crane (wading bird)", "crane (lifting device)"]


@pytest.mark.parametrize(
    ("word", "near"), [("elefant", "elephant"), ("red car", "car"), ("doog", "dog")]
)
def test_an_unknown_word_has_words_like_it(word, near):
    assert VOCABULARY.find(word) is None
    assert near in VOCABULARY.suggest(word, 10)


def test_a_word_like_no_other_has_none_like_it():
    assert VOCABULARY.suggest("xyzzy") == []
