"""The samples of one dataset on the server: many at a time where it offers that, else one by one.

The operations below `/ext/v1` are this project's own. A server that knows the wire contract only
answers them with 404, and then the contract's operations do the same work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from lightly._kit.bitmask import parse_bitmask
from lightly.api.answers import (
    MAPPING_PAGE_SIZE,
    iterate_pages,
    read_count,
    read_id,
    read_list,
    read_texts,
)
from lightly.api.client_base import make_path
from lightly.api.errors import ApiException, UnexpectedAnswer
from lightly.api.parallel import run_in_parallel
from lightly.api.transport import Transport

Kind = Literal["full", "thumb"]
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

#: Most items of one bulk request, by the server's promise.
MAX_BULK_ITEMS = 10_000
_OUR_CEILING = 2_000
#: Answers by which a server says that one item of a batch is at fault, not the batch.
_ITEM_AT_FAULT = frozenset({400, 413, 422})
_BODY_TOO_LARGE = "PAYLOAD_TOO_LARGE"
_OPERATION_UNKNOWN = frozenset({404, 405, 501})
_PATH_CODES = frozenset({"", "NOT_FOUND", "BAD_REQUEST", "NOT_IMPLEMENTED"})


@dataclass(frozen=True)
class _Update:
    """A change of many samples.

    Attributes:
        place: Where the operation for many is, below the dataset.
        key: Name of the new value in its items.
        update_one: Does the same for one sample.
    """

    place: tuple[str, str]
    key: str
    update_one: Callable[[tuple[str, Any]], None]


class DatasetSamples:
    """The samples of one dataset on the server.

    Args:
        transport: Calls the server.
        dataset_id: The dataset.
        max_workers: How many requests are under way at the same time where the server takes one
            sample at a time.
    """

    def __init__(self, transport: Transport, dataset_id: str, *, max_workers: int = 8) -> None:
        self._transport = transport
        self._dataset_id = dataset_id
        self._max_workers = max(1, max_workers)
        self._has_bulk = True

    def iterate_names(self) -> Iterator[list[str]]:
        """Yield all file names in the order of the samples' index, page by page."""
        return self._iterate_mapping("fileName")

    def iterate_ids(self) -> Iterator[list[str]]:
        """Yield all ids in the order of the samples' index, page by page."""
        return self._iterate_mapping("_id")

    def iterate_identities(self) -> Iterator[list[tuple[str, str]]]:
        """Yield id and file name of all samples, page by page."""
        path = self._path("samples", "partial")
        pages = iterate_pages(
            self._transport, path, {"mode": "fileNames"}, page_size=MAPPING_PAGE_SIZE
        )
        return ([(read_id(row), read_id(row, "fileName")) for row in page] for page in pages)

    def iterate_selected(self, mask: bytes) -> Iterator[tuple[str, str]]:
        """Yield id and file name of the samples whose bit is set, in the order of their index."""
        index = 0
        for ids, names in zip(self.iterate_ids(), self.iterate_names(), strict=False):
            for sample_id, name in zip(ids, names, strict=False):
                if index >> 3 < len(mask) and mask[index >> 3] >> (index & 7) & 1:
                    yield sample_id, name
                index += 1

    def register(self, samples: Sequence[Mapping[str, Any]]) -> list[str | ApiException]:
        """Register samples in this order; names that are there already keep their sample.

        Args:
            samples: `SampleCreateRequest` of the wire contract, as dictionaries.

        Returns:
            For each sample its id, or why the server refuses it.
        """
        if not samples:
            return []
        try:
            return list(self._register_batch(samples))
        except ApiException as error:
            if error.status not in _ITEM_AT_FAULT:
                raise
            if len(samples) == 1:
                return [error]
        # All or nothing is the server's rule; halving finds the samples at fault.
        middle = len(samples) // 2
        return self.register(samples[:middle]) + self.register(samples[middle:])

    def make_write_urls(
        self, sample_ids: Sequence[str], kinds: Sequence[Kind]
    ) -> list[dict[Kind, str]]:
        """Return where the images of samples go, in the order of `sample_ids`."""
        body = {"sampleIds": list(sample_ids), "kinds": list(kinds)}
        answer = self._try_bulk("POST", ("samples", "writeUrls"), body)
        if answer is not None:
            urls = read_list(answer.get("urls") if isinstance(answer, dict) else None)
            if len(urls) != len(sample_ids):
                raise UnexpectedAnswer("The server gave another number of URLs than asked for.")
            return [{kind: read_id(one, kind) for kind in kinds} for one in urls]
        return self._in_parallel(lambda sample_id: self._make_urls(sample_id, kinds), sample_ids)

    def read_stored(self, kind: Kind) -> bytes | None:
        """Return which samples have their image or thumbnail in the store, as a bit mask.

        Returns:
            Little-endian bits by sample index; None if the server cannot tell.
        """
        answer = self._try_bulk("GET", ("samples", "stored"), None, {"kind": kind})
        if answer is None:
            return None
        return parse_bitmask(read_id(answer, "bitMaskData"), read_count(answer, "totSize"))

    def update_custom_metadata(self, items: Iterable[tuple[str, Any]]) -> Iterator[int]:
        """Replace the custom metadata of samples; yield how many were done each time.

        Args:
            items: Sample id and its new metadata.
        """
        kind = _Update(("samples", "customMetadata"), "customMetaData", self._update_metadata)
        return self._update(kind, items)

    def update_predictions(self, items: Iterable[tuple[str, Any]]) -> Iterator[int]:
        """Store the predictions of samples; yield how many samples were done each time.

        Args:
            items: Sample id and its predictions as dictionaries with wire names.
        """
        kind = _Update(("predictions", "samples"), "predictions", self._update_predictions)
        return self._update(kind, items)

    def _update(self, kind: _Update, items: Iterable[tuple[str, Any]]) -> Iterator[int]:
        for batch in split(items, _OUR_CEILING):
            self._update_batch(kind, batch)
            yield len(batch)

    def _update_batch(self, kind: _Update, batch: Sequence[tuple[str, Any]]) -> None:
        body = {"items": [{"id": id_, kind.key: value} for id_, value in batch]}
        try:
            if self._try_bulk("PUT", kind.place, body, default=True) is None:
                self._in_parallel(kind.update_one, batch)
            return
        except ApiException as error:
            if error.code != _BODY_TOO_LARGE or len(batch) == 1:
                raise
        middle = len(batch) // 2
        self._update_batch(kind, batch[:middle])
        self._update_batch(kind, batch[middle:])

    def _register_batch(self, samples: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        ids: list[str] = []
        for batch in split(samples, MAX_BULK_ITEMS):
            answer = self._try_bulk("POST", ("samples", "bulk"), {"samples": batch})
            if answer is None:
                ids += self._in_parallel(self._register_one, batch)
            else:
                ids += read_texts(answer.get("ids") if isinstance(answer, dict) else None)
        if len(ids) != len(samples):
            raise UnexpectedAnswer("The server gave another number of ids than samples.")
        return ids

    def _register_one(self, sample: Mapping[str, Any]) -> str:
        answer = self._transport.post(self._path("samples"), sample, is_repeatable=True)
        return read_id(answer)

    def _make_urls(self, sample_id: str, kinds: Sequence[Kind]) -> dict[Kind, str]:
        urls = self._transport.get(self._path("samples", sample_id, "writeurls"))
        return {kind: read_id(urls, kind) for kind in kinds}

    def _update_predictions(self, item: tuple[str, Any]) -> None:
        sample_id, value = item
        path = self._path("predictions", "samples", sample_id)
        self._transport.post(path, value, is_repeatable=True)

    def _update_metadata(self, item: tuple[str, Any]) -> None:
        sample_id, value = item
        self._transport.put(self._path("samples", sample_id), {"customMetaData": value})

    def _try_bulk(
        self,
        method: str,
        place: Sequence[str],
        body: object,
        parameters: Mapping[str, str] | None = None,
        *,
        default: object = None,
    ) -> Any:
        """Return the answer of an operation of ours, `default` if empty, None if unknown there."""
        if not self._has_bulk:
            return None
        path = make_path("ext", "v1", "datasets", self._dataset_id, *place)
        try:
            answer = self._transport.request(
                method, path, body=body, parameters=parameters, is_repeatable=True
            )
        except ApiException as error:
            if error.status not in _OPERATION_UNKNOWN or error.code not in _PATH_CODES:
                raise
            self._has_bulk = False
            return None
        return default if answer is None else answer

    def _iterate_mapping(self, field: str) -> Iterator[list[str]]:
        pages = iterate_pages(
            self._transport, self._path("mappings"), {"field": field}, page_size=MAPPING_PAGE_SIZE
        )
        return (read_texts(page) for page in pages)

    def _in_parallel(
        self, call: Callable[[ItemT], ResultT], items: Sequence[ItemT]
    ) -> list[ResultT]:
        return run_in_parallel(call, items, max_workers=self._max_workers)

    def _path(self, *parts: str) -> str:
        return make_path("v1", "datasets", self._dataset_id, *parts)


def split(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """Yield lists of at most `size` items."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
