"""URLs for a sample's image and thumbnail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal
from urllib.parse import urlencode

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasources import sample_files
from lightly.server.datasources.sample_files import Sources
from lightly.server.errors import ImageUnknown, ThumbnailUnknown
from lightly.server.platform import PlatformState
from lightly.server.samples.models import ImageKind, Sample
from lightly.server.samples.public_tokens import make_public_token, open_public_token
from lightly.server.samples.service import load_sample
from lightly.server.settings import Settings
from lightly.server.storage.blobs import make_sample_key

#: What clients call the two kinds when they read.
ReadType = Literal["full", "thumbnail"]

#: A redirect is followed at once; this is time enough to begin.
REDIRECT_TTL_S = 900
_BOTH: tuple[ImageKind, ...] = ("full", "thumb")


def make_write_urls(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    sample_id: str,
    kinds: Iterable[ImageKind] = _BOTH,
) -> dict[str, str]:
    """Return a URL to upload to for each kind of image of a sample."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        load_sample(connection, dataset, sample_id)
    return {kind: sign_write_url(platform, dataset_id, sample_id, kind) for kind in kinds}


def sign_write_url(
    platform: PlatformState, dataset_id: str, sample_id: str, kind: ImageKind
) -> str:
    """Return a URL to upload to. The caller's access to the sample was checked."""
    return platform.blobs.sign_url(
        make_sample_key(dataset_id, sample_id, kind),
        "PUT",
        ttl_s=platform.settings.signed_url_ttl_s,
        now_s=platform.clock.now_ms() / 1000,
    )


def make_read_url(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str, type_: ReadType
) -> str:
    """Return a URL to read a sample's image from.

    A thumbnail that was never stored is answered with the full image, which browsers scale
    themselves; a full image is never replaced by the thumbnail.

    Raises:
        ImageUnknown: If the image was never stored.
        ThumbnailUnknown: If neither thumbnail nor image was.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        sample = load_sample(connection, dataset, sample_id)
        sources = sample_files.find_sources(connection, dataset)

    def redirect() -> str:
        with platform.database.read() as connection:
            token = make_public_token(connection, platform.keys, caller, dataset_id)
        return redirected_read_url(platform.settings, dataset_id, sample_id, type_, token)

    ttl_s = platform.settings.signed_url_ttl_s
    return _sign_read_url(platform, dataset, sample, sources, type_, ttl_s, redirect)


def resolve_redirect(
    platform: PlatformState, public_token: str, dataset_id: str, sample_id: str, type_: ReadType
) -> str:
    """Return the short-lived URL that a redirected read URL leads to just now.

    Raises:
        NotAuthenticated: If the public token is not, or no longer, good for this dataset.
    """
    now_s = platform.clock.now_ms() / 1000
    with platform.database.read() as connection:
        user = open_public_token(connection, platform.keys, public_token, dataset_id, now_s=now_s)
        dataset = load_dataset(connection, user, dataset_id, Action.READ)
        sample = load_sample(connection, dataset, sample_id)
        sources = sample_files.find_sources(connection, dataset)
    return _sign_read_url(platform, dataset, sample, sources, type_, REDIRECT_TTL_S)


def make_image_url(
    platform: PlatformState, dataset: Dataset, sample: Sample, sources: Sources, type_: ReadType
) -> str:
    """Return a short-lived URL to the image of a sample that was loaded for the caller.

    Raises:
        ImageUnknown: If there is no image.
        ThumbnailUnknown: If there is neither thumbnail nor image.
    """
    return _sign_read_url(platform, dataset, sample, sources, type_, REDIRECT_TTL_S)


def redirected_read_url(
    settings: Settings, dataset_id: str, sample_id: str, type_: ReadType, public_token: str
) -> str:
    """Return a read URL that works for as long as its public token does.

    It leads back to this server, which checks access at each use. Nothing is looked up here: the
    token is made once for an export of any length.
    """
    query = urlencode({"type": type_, "publicToken": public_token})
    path = f"/v1/datasets/{dataset_id}/samples/{sample_id}/readurlRedirect"
    return f"{settings.base_url}{path}?{query}"


def _sign_read_url(
    platform: PlatformState,
    dataset: Dataset,
    sample: Sample,
    sources: Sources,
    type_: ReadType,
    ttl_s: int,
    redirect: Callable[[], str] | None = None,
) -> str:
    """Return a URL to what was uploaded, else to what lies in the datasource."""
    kinds: tuple[ImageKind, ...] = ("full",) if type_ == "full" else ("thumb", "full")
    for kind in kinds:
        key = make_sample_key(dataset.id, sample.id, kind)
        if platform.blobs.head(key) is not None:
            now_s = platform.clock.now_ms() / 1000
            return platform.blobs.sign_url(key, "GET", ttl_s=ttl_s, now_s=now_s)
        url = _find_datasource_url(platform, dataset, sample, sources, kind, ttl_s, redirect)
        if url is not None:
            return url
    raise ImageUnknown if type_ == "full" else ThumbnailUnknown


def _find_datasource_url(
    platform: PlatformState,
    dataset: Dataset,
    sample: Sample,
    sources: Sources,
    kind: ImageKind,
    ttl_s: int,
    redirect: Callable[[], str] | None,
) -> str | None:
    if kind == "full":
        name: str | None = sample_files.name_image(sample)
    else:
        name = sample_files.name_thumbnail(sample, sources)
    if name is None:
        return None
    return sample_files.find_image_url(
        platform,
        dataset,
        sources,
        name,
        ttl_s,
        redirect=redirect,
        is_optional=kind == "thumb",
    )
