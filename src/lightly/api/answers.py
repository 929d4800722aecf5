"""Reading the server's answers as wire models and pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, Self, TypeVar

from lightly.api.errors import UnexpectedAnswer
from lightly.api.transport import Parameters, Transport


class Readable(Protocol):
    """What the wire models have in common."""

    @classmethod
    def from_dict(cls, obj: object, *, ignore_unknown: bool = False) -> Self:
        """Build the model from decoded JSON."""


ModelT = TypeVar("ModelT", bound=Readable)

#: Every server of the contract honours these page sizes. Source: semantics of the wire contract, 5.
PAGE_SIZE = 5_000
MAPPING_PAGE_SIZE = 25_000
EXPORT_PAGE_SIZE = 2_500


def read_model(model: type[ModelT], content: object) -> ModelT:
    """Return an answer as a wire model. Fields that a newer server added are dropped.

    Raises:
        UnexpectedAnswer: If it breaks the contract otherwise.
    """
    from pydantic import ValidationError

    try:
        return model.from_dict(content, ignore_unknown=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        message = f"The server's answer is no {model.__name__}: {place}: {first['msg'][:200]}."
    raise UnexpectedAnswer(message)


def read_models(model: type[ModelT], content: object) -> list[ModelT]:
    """Return a list in an answer as wire models."""
    return [read_model(model, item) for item in read_list(content)]


def read_id(content: object, key: str = "id") -> str:
    """Return the id in an answer to a create operation."""
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, str):
        raise UnexpectedAnswer(f"The server's answer has no '{key}'.")
    return value


def read_list(content: object) -> list[Any]:
    """Return the list that an answer must be."""
    if not isinstance(content, list):
        raise UnexpectedAnswer("The server's answer is no list.")
    return content


def read_text(content: object) -> str:
    """Return the text that an answer must be."""
    if not isinstance(content, str):
        raise UnexpectedAnswer("The server's answer is no text.")
    return content


def read_texts(content: object) -> list[str]:
    """Return the list of texts that an answer must be."""
    texts = read_list(content)
    if not all(isinstance(text, str) for text in texts):
        raise UnexpectedAnswer("The server's answer is no list of texts.")
    return texts


def read_count(content: object, key: str) -> int:
    """Return a number of things in an answer."""
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, int):
        raise UnexpectedAnswer(f"The server's answer has no '{key}'.")
    return value


def iterate_pages(
    transport: Transport,
    path: str,
    parameters: Parameters | None = None,
    *,
    page_size: int = PAGE_SIZE,
) -> Iterator[list[Any]]:
    """Yield a long list page by page, in the server's order."""
    offset = 0
    while True:
        page = read_list(
            transport.get(path, {**(parameters or {}), "pageSize": page_size, "pageOffset": offset})
        )
        if page:
            yield page
        if len(page) < page_size:
            return
        offset += len(page)
