"""Words `key=value`, as the published 1.x clients spell their options."""

import pytest
from click.testing import CliRunner

from lightly._kit.errors import BadInput
from lightly.cli.key_values import KeyValueCommand, Setting, flatten

SETTINGS = (
    Setting("input_dir", "Folder."),
    Setting("append", "Whether to add.", default=False),
    Setting("loader.num_workers", "At once.", -1),
    Setting("crop_padding", "Share.", 0.1),
    Setting("upload", "What.", "full", ("full", "metadata")),
)


def make_command(run=dict):
    return KeyValueCommand(
        "test",
        run,
        settings=SETTINGS,
        summary="Does something.",
        examples=("input_dir=images",),
        without_effect=("trainer.gpus", "input_dir"),
    )


def test_left_out_settings_have_their_defaults():
    assert make_command().run_words([]) == {
        "input_dir": "",
        "append": False,
        "loader.num_workers": -1,
        "crop_padding": 0.1,
        "upload": "full",
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("input_dir=a=b", "a=b"),
        ("input_dir='my images'", "my images"),
        ("+input_dir=a", "a"),
        ("++input_dir=a", "a"),
        ("input_dir=", ""),
        ("input_dir=null", ""),
        ("append=True", True),
        ("append=false", False),
        ("loader.num_workers=4", 4),
        ("crop_padding=1", 1.0),
        ("upload=metadata", "metadata"),
    ],
)
def test_a_word_becomes_a_value_of_the_settings_type(word, value):
    values = make_command().run_words([word])

    key = word.lstrip("+").partition("=")[0]
    assert (values[key], type(values[key])) == (value, type(value))


def test_the_last_of_equal_words_counts():
    assert make_command().run_words(["upload=metadata", "upload=full"])["upload"] == "full"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("images", "Expected key=value, got 'images'"),
        ("=images", "Expected key=value"),
        ("append=perhaps", "append must be True or False, got 'perhaps'"),
        ("loader.num_workers=1.5", "loader.num_workers must be an integer"),
        ("crop_padding=wide", "crop_padding must be a number"),
        ("upload=everything", "upload must be one of full, metadata"),
        ("inputdir=a", "no setting 'inputdir'. Did you mean 'input_dir'\\?"),
        ("trainer.gpu=1", "Did you mean 'trainer.gpus'\\?"),
        ("colour=red", "no setting 'colour'. Try lightly-test --help"),
    ],
)
def test_wrong_words_are_explained(word, reason):
    with pytest.raises(BadInput, match=reason):
        make_command().run_words([word])


def test_a_long_wrong_word_is_cut():
    with pytest.raises(BadInput) as caught:
        make_command().run_words(["x" * 10_000])

    assert len(str(caught.value)) < 200


def test_words_without_effect_are_accepted_with_a_note(capsys):
    make_command().run_words(["trainer.gpus=2"])

    assert capsys.readouterr().err == "Without effect here: trainer.gpus.\n"


def test_what_was_given_is_told_from_defaults():
    given = make_command(lambda values: values.given).run_words(["append=False"])

    assert given == {"append"}


def test_values_of_a_configuration_may_be_nested_and_typed():
    values = make_command().run_texts(flatten({"append": True, "loader": {"num_workers": 3}}))

    assert (values["append"], values["loader.num_workers"]) == (True, 3)


def test_none_in_a_configuration_is_an_empty_text():
    assert make_command().run_texts({"input_dir": None})["input_dir"] == ""


def test_the_help_lists_all_settings_and_an_example():
    output = CliRunner().invoke(make_command(), ["--help"], prog_name="lightly-test").output

    assert all(f"{setting.key}=" in output for setting in SETTINGS)
    assert "lightly-test input_dir=images" in output
    assert "one of full, metadata; default full" in output
