"""Settings of a training: what `lightly_config` may say, and what is refused."""

from __future__ import annotations

import pytest

from lightly._kit.errors import BadInput
from lightly.embedding.training.settings import (
    TrainingUnavailable,
    check_training_available,
    list_options,
    parse_settings,
    read_training_settings,
    write_settings,
)


def test_options_left_out_have_the_documented_defaults() -> None:
    settings = read_training_settings({"loader": {"batchSize": None}, "collate": None})
    assert (settings.model.name, settings.model.num_ftrs, settings.model.out_dim) == (
        "resnet-18", 32, 128,
    )  # fmt: skip
    assert (settings.max_epochs, settings.batch_size, settings.lr) == (100, 16, 1.0)
    assert settings.model.rule.input_side == 64


def test_every_option_reaches_the_settings_and_survives_being_written() -> None:
    wire = {
        "seed": -3,
        "checkpointCallback": {"saveLast": False},
        "loader": {"batchSize": 4, "shuffle": False, "numWorkers": 2, "dropLast": False},
        "model": {"name": "resnet-50", "outDim": 9, "numFtrs": 7, "width": 2},
        "trainer": {"gpus": 0, "maxEpochs": 0, "precision": 16},
        "criterion": {"temperature": 0.25},
        "optimizer": {"lr": 2, "weightDecay": 0},
        "collate": {
            "inputSize": 96, "cjProb": 0.1, "cjBright": 0.2, "cjContrast": 0.3, "cjSat": 0.4,
            "cjHue": 0.5, "minScale": 0.6, "randomGrayScale": 0.7, "gaussianBlur": 0.8,
            "kernelSize": 0.9, "sigmas": [0.5, 1], "vfProb": 0.15, "hfProb": 0.25,
            "rrProb": 0.35, "rrDegrees": [-10, 10],
        },
    }  # fmt: skip
    settings, default = read_training_settings(wire), read_training_settings({})
    for given, usual in (
        (settings.model, default.model),
        (settings.views, default.views),
        (settings, default),
    ):
        same = [name for name in vars(given) if getattr(given, name) == getattr(usual, name)]
        assert same == []
    assert parse_settings(write_settings(settings)) == settings


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ({"loader": {"batchSize": 1}}, r"lightly_config.loader.batchSize must be 2 or more"),
        ({"model": {"name": "vit"}}, "model.name must be one of resnet-18"),
        ({"trainer": {"precision": 8}}, "trainer.precision must be 16 or 32"),
        ({"collate": {"inputSize": 4}}, "collate.inputSize must be between 8 and 1024"),
        ({"collate": {"cjProb": 1.5}}, "collate.cjProb must be between 0 and 1"),
        ({"collate": {"sigmas": [2, 1]}}, "collate.sigmas must be two numbers above 0, in order"),
        ({"optimizer": {"lr": "fast"}}, "optimizer.lr has a value of the wrong type"),
        ({"trainer": {"maxEpochs": True}}, "trainer.maxEpochs has a value of the wrong type"),
        ({"trainer": {"epochs": 3}}, "no option 'trainer.epochs'"),
    ],
)
def test_values_that_break_a_rule_are_named(wire: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_training_settings(wire)


def test_damaged_settings_of_a_checkpoint_are_refused() -> None:
    for text in ("", "{}", '{"model": 3}', "[]"):
        with pytest.raises(BadInput):
            parse_settings(text)


def test_options_are_listed_as_users_write_them() -> None:
    names = dict(list_options())
    assert names["collate.random_gray_scale"] == 0.2
    assert names["checkpoint_callback.save_last"] is True


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightly.embedding.training.settings._LIBRARIES", ("no_such_library",))
    with pytest.raises(TrainingUnavailable, match=r"pip install 'lightly-platform\[train\]'"):
        check_training_available()
