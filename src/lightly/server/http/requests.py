"""Reading requests: JSON with ceilings, and the contract's own error for what is malformed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import orjson
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.concurrency import run_in_threadpool

from lightly.openapi_generated.wire.model import WireModel, WireUnion
from lightly.server.errors import (
    ApiError,
    DatasetUnknown,
    FilterInvalid,
    MalformedRequest,
    NotFound,
    PayloadTooLarge,
)

ModelT = TypeVar("ModelT", bound=WireModel | WireUnion[Any])

_CONTAINERS = frozenset({dict, list})
_PATTERN_BROKEN = "string_pattern_mismatch"

#: Most characters of the caller's value that an error repeats.
MAX_SHOWN_VALUE = 60
#: Most lists and objects in a body. 10,000 samples with metadata have some 100,000; a million empty
#: ones take 64 MB of memory, thirty times their text.
MAX_CONTAINERS = 1_000_000
#: Most keys of one object. The contract's have at most 40, custom metadata of 64 kB can have some
#: 8,000. Each unknown key becomes an error of 1 kB before the first of them is reported.
MAX_KEYS = 10_000
#: Bodies up to this size are parsed where they arrive: that takes less time than changing threads.
INLINE_BYTES = 64 * 1024


class LimitedRequest(Request):
    """A request whose JSON body is bounded in bytes, depth and number range."""

    async def body(self) -> bytes:
        """Return the body, or refuse it while it is still arriving."""
        if not hasattr(self, "_body"):
            limit: int = self.app.state.platform.settings.max_body_bytes
            declared = self.headers.get("content-length", "")
            if declared.isdigit() and int(declared) > limit:
                raise _too_large(limit)
            chunks = bytearray()
            async for chunk in self.stream():
                chunks += chunk
                if len(chunks) > limit:
                    raise _too_large(limit)
            self._body = bytes(chunks)
        return self._body

    async def json(self) -> Any:
        """Return the parsed body. NaN, lone surrogates and deep nesting are refused."""
        return decode_json(await self.body())


def decode_json(body: bytes) -> Any:
    """Return parsed JSON. Of a key that is given twice, the last value counts.

    Raises:
        MalformedRequest: If it is not JSON: NaN, numbers beyond doubles, lone surrogates and deep
            nesting are not; or if an object in it has too many keys.
        PayloadTooLarge: If it would take far more memory than its text.
    """
    # Counted in the text, before anything is made of it. Brackets within strings count too, which
    # the limit leaves room for.
    if body.count(b"{") + body.count(b"[") > MAX_CONTAINERS:
        raise PayloadTooLarge(
            f"The body has more than {MAX_CONTAINERS} lists and objects. Send it in batches."
        )
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"The body is not valid JSON: {error.msg[:100]}.") from error
    if body.count(b":") > MAX_KEYS:
        _refuse_wide_objects(content)
    return content


def _refuse_wide_objects(content: object) -> None:
    pending: list[Any] = [content] if content.__class__ in _CONTAINERS else []
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if len(value) > MAX_KEYS:
                raise MalformedRequest(f"An object in the body has more than {MAX_KEYS} keys.")
            value = value.values()
        # Texts and numbers, most of any body, are left out here.
        pending += [inner for inner in value if inner.__class__ in _CONTAINERS]


async def _read_body(request: Request) -> bytes:
    return await request.body()


#: The bytes of the body, for routes that parse them in a worker thread: a long body parsed on the
#: event loop would stop all other requests meanwhile.
RawBody = Annotated[bytes, Depends(_read_body)]


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {limit} bytes. Send it in smaller batches.")


class ContractRoute(APIRoute):
    """A route that reads its body with `LimitedRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, fed with a limited request."""
        handle = super().get_route_handler()

        async def handle_limited(request: Request) -> Response:
            return await handle(LimitedRequest(request.scope, request.receive))

        return handle_limited


def parse_body(model: type[ModelT], content: object) -> ModelT:
    """Return decoded JSON as a wire model.

    Raises:
        MalformedRequest: If it breaks a rule of the contract; unknown keys do.
    """
    try:
        return cast("ModelT", model.from_dict(content))
    except ValidationError as error:
        raise MalformedRequest(_describe("body", error.errors(include_url=False)[0])) from error


def _make_reader(model: type[ModelT]) -> Callable[[Request], Coroutine[Any, Any, ModelT]]:
    async def read_body(request: Request) -> ModelT:
        body = await request.body()
        if len(body) > INLINE_BYTES:
            return await run_in_threadpool(_read_model, model, body)
        return _read_model(model, body)

    # For whoever describes the routes.
    vars(read_body)["wire_model"] = model
    return read_body


def _read_model(model: type[ModelT], body: bytes) -> ModelT:
    return parse_body(model, decode_json(body))


if TYPE_CHECKING:
    JsonBody = Annotated[ModelT, "the request's body"]
else:

    class JsonBody:
        """`JsonBody[Model]` is a parameter that holds the body as that wire model.

        FastAPI's own body parameters would take attribute names for wire names and build their
        validators at the first request.
        """

        def __class_getitem__(cls, model: type[ModelT]) -> object:
            return Annotated[model, Depends(_make_reader(model))]


def explain_validation_error(error: RequestValidationError, method: str) -> ApiError:
    """Return the error that names the parameter, the rule and the value in one sentence."""
    errors = error.errors()
    # Whatever else is wrong: what the path names comes first.
    first = next((each for each in errors if each["loc"][0] == "path"), errors[0])
    origin = first["loc"][0]
    text = _describe(
        f"{origin} parameter", cast("ErrorDetails", {**first, "loc": first["loc"][1:]})
    )
    if first["type"] == _PATTERN_BROKEN:
        if origin == "path":
            # No object has such an id: it is as unknown as any other. Not 400: the newest clients
            # repeat lists for half a minute on that, and take it for a failure of the server.
            return DatasetUnknown(text) if first["loc"][1] == "datasetId" else NotFound(text)
        if origin == "query" and method == "GET":
            return FilterInvalid(text)
    return MalformedRequest(text)


def _describe(place: str, error: ErrorDetails) -> str:
    name = ".".join(str(part) for part in error["loc"]) or place
    value = error.get("input")
    # Lists, objects and long numbers say nothing in an error, and printing them can cost much.
    shown = f" Got {ascii(value)[:MAX_SHOWN_VALUE]}." if isinstance(value, str | bool) else ""
    return f"{name[:100]} ({place}): {error['msg']}.{shown}"
