"""What workers say in words: masked, bounded, fit for every database."""

from __future__ import annotations

from lightly._kit.redaction import redact
from lightly.server.errors import MalformedRequest

MAX_MESSAGE_CHARACTERS = 8_000
#: Of versions and the like, which lists repeat.
MAX_NAME_CHARACTERS = 255


def clean_text(text: str, max_characters: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Return a text with secrets masked, without what no database takes, cut where it is too long.

    Nothing here is refused: it may be the last that is heard of a run.

    >>> clean_text("no access with token=abc", 14)
    'no access wit…'
    """
    # Cut twice: masking a long text takes a while, and makes it longer or shorter.
    masked = redact(text[: 2 * max_characters].replace("\x00", ""))
    return masked if len(masked) <= max_characters else masked[: max_characters - 1] + "…"


def check_name(name: str, field: str) -> str:
    """Return a short text that is kept as it is.

    Raises:
        MalformedRequest: If it is too long or has control characters.
    """
    if len(name) > MAX_NAME_CHARACTERS or any(not character.isprintable() for character in name):
        raise MalformedRequest(
            f"{field} (body): at most {MAX_NAME_CHARACTERS} printable characters are allowed."
        )
    return name
