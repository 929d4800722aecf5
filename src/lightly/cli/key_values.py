"""Commands whose options are words `key=value`, as the published 1.x clients spell them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from lightly._kit.errors import BadInput

_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Setting:
    """One word that a command understands.

    Attributes:
        key: What stands before the `=`.
        text: One line of help.
        default: Its value when left out; its type is the type of the setting.
        choices: All allowed values; empty if there is no such list.
    """

    key: str
    text: str
    default: str | int | float | bool = ""
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Any:
        """Return the value that a word stands for.

        Raises:
            BadInput: If it is of another type or not among the choices.
        """
        if self.choices and text not in self.choices:
            raise BadInput(
                f"{self.key} must be one of {', '.join(self.choices)}, got {_show(text)}."
            )
        if isinstance(self.default, bool):
            return self._read_boolean(text)
        if isinstance(self.default, int):
            return self._convert(int, text, "an integer")
        if isinstance(self.default, float):
            return self._convert(float, text, "a number")
        return "" if text == "null" else text

    def _read_boolean(self, text: str) -> bool:
        if text.lower() not in _TRUE | _FALSE:
            raise BadInput(f"{self.key} must be True or False, got {_show(text)}.")
        return text.lower() in _TRUE

    def _convert(self, convert: Callable[[str], Any], text: str, what: str) -> Any:
        try:
            return convert(text)
        except ValueError:
            raise BadInput(f"{self.key} must be {what}, got {_show(text)}.") from None


class Values(Mapping[str, Any]):
    """The values of a command's settings.

    Attributes:
        given: Keys that the user has set.

    Args:
        settings: All settings of the command.
        chosen: Values by key of those that the user has set.
    """

    def __init__(self, settings: Sequence[Setting], chosen: Mapping[str, Any]) -> None:
        self._values = {setting.key: setting.default for setting in settings} | dict(chosen)
        self.given = frozenset(chosen)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def replaced(self, **changes: Any) -> Values:
        """Return a copy with other values."""
        copy = Values((), self._values | changes)
        copy.given = self.given | frozenset(changes)
        return copy


class KeyValueCommand(click.Command):
    """A command that takes words `key=value`.

    Args:
        name: Name below `lightly`.
        run: Does the work.
        settings: The words that it understands.
        summary: What it does; the first sentence is its short help.
        examples: Words of example calls, without the command's name.
        without_effect: Words of the 1.x configuration that mean nothing to this command: accepted
            with a note, so that older scripts go on to work.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Values], Any],
        *,
        settings: Sequence[Setting],
        summary: str,
        examples: Sequence[str],
        without_effect: Sequence[str] = (),
    ) -> None:
        self.settings = {setting.key: setting for setting in settings}
        self._run = run
        self._examples = examples
        self.without_effect = frozenset(without_effect) - set(self.settings)
        super().__init__(
            name,
            params=[click.Argument(["words"], nargs=-1, metavar="KEY=VALUE...")],
            help=summary,
            callback=self._run_words,
            context_settings={"help_option_names": ["-h", "--help"]},
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the settings, then the options, then the examples."""
        rows = [(f"{item.key}=", _describe(item)) for item in self.settings.values()]
        if rows:
            with formatter.section("Settings"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)
        with formatter.section("Examples"):
            for words in self._examples:
                formatter.write(f"  {ctx.command_path} {words}".rstrip() + "\n")

    def run_words(self, words: Sequence[str]) -> Any:
        """Run with words as typed; return what the work returns.

        Raises:
            BadInput: If a word is malformed, unknown, or its value is wrong.
        """
        chosen = {}
        for word in words:
            key, separator, text = word.partition("=")
            if not separator or not key:
                raise BadInput(f"Expected key=value, got {_show(word)}.{self._hint()}")
            # Hydra's markers for adding and forcing a setting.
            chosen[key.lstrip("+")] = text.strip("'\"")
        return self.run_texts(chosen)

    def run_texts(self, chosen: Mapping[str, Any]) -> Any:
        """Run with values as text or of the right type, by key.

        Raises:
            BadInput: If a key is unknown or a value is wrong.
        """
        read, idle = {}, []
        for key, value in chosen.items():
            if key in self.settings:
                read[key] = self.settings[key].read("null" if value is None else str(value))
            elif key in self.without_effect:
                idle.append(key)
            else:
                raise BadInput(f"lightly-{self.name} has no setting {_show(key)}.{self._hint(key)}")
        if idle:
            click.echo(f"Without effect here: {', '.join(sorted(idle))}.", err=True)
        return self._run(Values(list(self.settings.values()), read))

    def _run_words(self, words: tuple[str, ...]) -> None:
        self.run_words(words)

    def _hint(self, key: str = "") -> str:
        near = difflib.get_close_matches(key, [*self.settings, *self.without_effect], 1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        return f"{meant} Try lightly-{self.name} --help."


def flatten(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings with dotted keys.

    >>> flatten({"input_dir": "a", "loader": {"batch_size": 4}})
    {'input_dir': 'a', 'loader.batch_size': 4}
    """
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner}": item for inner, item in flatten(value).items()}
        else:
            flat[key] = value
    return flat


def _show(text: str) -> str:
    return repr(text[:_SHOWN_CHARACTERS])


def _describe(setting: Setting) -> str:
    notes = [f"one of {', '.join(setting.choices)}"] if setting.choices else []
    notes += [f"default {setting.default}"] if setting.default != "" else []
    return f"{setting.text} [{'; '.join(notes)}]" if notes else setting.text
