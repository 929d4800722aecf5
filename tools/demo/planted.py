"""Files that are planted among real pictures, so that curation has something to find.

Every function writes one file. Each takes the picture that it is made from, so that a test can
compare the two.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from tools.demo.manifest import DemoFile, Kind

# Below this a crop or a blur says little about the picture.
_MIN_SIDE_PX = 64
_EXIF_ORIENTATION = 0x0112
# How to turn the upright picture so that the orientation turns it back.
_TURN_FOR_ORIENTATION = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
_ERROR_PAGE = """\
<!doctype html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The picture that you asked for is not here.</p></body></html>
"""
# Umlauts, CJK, Cyrillic, Arabic, emoji with joiner and skin tone, decomposed accent, and
# characters that mean something in a URL. No comma: file names with one cannot be embedded.
_NAME_FORMS = (
    ("umlauts", "Übergröße {stem}"),
    ("CJK", "写真 {stem}"),
    ("Hangul", "사진_{stem}"),
    ("Cyrillic", "фото {stem}"),
    ("right to left", "صورة {stem}"),
    ("emoji", "📷 {stem}"),
    ("joined emoji", "👩🏽\u200d🚀 {stem}"),
    ("decomposed accent", "cafe\u0301 {stem}"),
    ("spaces", "two  spaces {stem}"),
    ("URL characters", "100% #1 {stem} (a+b) & c"),
)


def open_upright(path: Path) -> Image.Image:
    """Return the picture in RGB on white."""
    with Image.open(path) as image:
        image.load()
        drawn = image.convert("RGBA")
    canvas = Image.new("RGBA", drawn.size, "white")
    canvas.alpha_composite(drawn)
    return canvas.convert("RGB")


def save_reencoded(image: Image.Image, target: Path) -> None:
    """Save with visible JPEG artefacts."""
    image.save(target, "JPEG", quality=40)


def save_cropped(image: Image.Image, target: Path) -> None:
    """Cut 4 % off each side."""
    dx, dy = round(image.width * 0.04), round(image.height * 0.04)
    box = (dx, dy, image.width - dx, image.height - dy)
    image.crop(box).save(target, "JPEG", quality=90)


def save_brightened(image: Image.Image, target: Path) -> None:
    """Make the picture 20 % brighter."""
    ImageEnhance.Brightness(image).enhance(1.2).save(target, "JPEG", quality=90)


def save_resized(image: Image.Image, target: Path) -> None:
    """Shrink to three quarters."""
    size = (round(image.width * 0.75), round(image.height * 0.75))
    image.resize(size, Image.Resampling.LANCZOS).save(target, "JPEG", quality=90)


def save_blurred(image: Image.Image, target: Path) -> None:
    """Blur so that the object is still guessed but useless for training."""
    radius_px = max(image.size) * 0.025
    image.filter(ImageFilter.GaussianBlur(radius_px)).save(target, "JPEG", quality=90)


def save_cmyk(image: Image.Image, target: Path) -> None:
    """Save as printers do."""
    image.convert("CMYK").save(target, "JPEG", quality=92)


def save_16_bit_gray(image: Image.Image, target: Path) -> None:
    """Save one channel of 16 bits that uses the range between the 8-bit steps."""
    _write_png(_smooth_to_16_bit(np.asarray(image.convert("L"))), target)


def save_16_bit_colour(image: Image.Image, target: Path) -> None:
    """Save three channels of 16 bits."""
    blue_first = np.asarray(image)[:, :, ::-1]
    _write_png(_smooth_to_16_bit(blue_first), target)


def _smooth_to_16_bit(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    smooth = np.asarray(cv2.GaussianBlur(pixels.astype(np.float32), (3, 3), sigmaX=0.5))
    stretched: np.ndarray[tuple[int, ...], np.dtype[np.uint16]] = np.clip(
        smooth * 257.0, 0, 65535
    ).astype(np.uint16)
    return stretched


def _write_png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], target: Path) -> None:
    # OpenCV cannot be trusted with non-ASCII paths everywhere, Python can.
    _, encoded = cv2.imencode(".png", pixels)
    target.write_bytes(encoded.tobytes())


def save_exif_rotated(image: Image.Image, target: Path, *, orientation: int) -> None:
    """Store the picture turned, with the EXIF entry that turns it back."""
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = orientation
    turned = image.transpose(_TURN_FOR_ORIENTATION[orientation])
    turned.save(target, "JPEG", quality=92, exif=exif)


def save_truncated_jpeg(image: Image.Image, target: Path) -> None:
    """Keep the first 40 % of the bytes, as after a broken download."""
    save_brightened(image, target)
    _keep_start(target, 0.4)


def save_truncated_png(image: Image.Image, target: Path) -> None:
    """Keep the first half of the bytes."""
    image.save(target, "PNG")
    _keep_start(target, 0.5)


def save_error_page(_image: Image.Image, target: Path) -> None:
    """Write what a download of a missing picture often leaves."""
    target.write_text(_ERROR_PAGE, encoding="utf-8")


def save_empty(_image: Image.Image, target: Path) -> None:
    """Write no bytes at all."""
    target.write_bytes(b"")


def _keep_start(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@dataclass(frozen=True)
class Recipe:
    """How often to plant what: `count` files, named after the original and `suffix`."""

    kind: Kind
    variant: str
    count: int
    suffix: str
    save: Callable[[Image.Image, Path], None]


def _turn(orientation: int) -> Callable[[Image.Image, Path], None]:
    return lambda image, target: save_exif_rotated(image, target, orientation=orientation)


RECIPES = (
    Recipe("near_duplicate", "re-encoded", 6, "_reencoded.jpg", save_reencoded),
    Recipe("near_duplicate", "cropped", 6, "_cropped.jpg", save_cropped),
    Recipe("near_duplicate", "brightened", 6, "_brightened.jpg", save_brightened),
    Recipe("near_duplicate", "resized", 6, "_resized.jpg", save_resized),
    Recipe("blurred", "blurred", 8, "_blurred.jpg", save_blurred),
    Recipe("cmyk", "CMYK JPEG", 3, "_cmyk.jpg", save_cmyk),
    Recipe("16_bit", "16-bit gray PNG", 2, "_gray16.png", save_16_bit_gray),
    Recipe("16_bit", "16-bit colour PNG", 2, "_rgb16.png", save_16_bit_colour),
    *(
        Recipe("exif_rotated", f"orientation {turn}", 1, f"_orientation{turn}.jpg", _turn(turn))
        for turn in _TURN_FOR_ORIENTATION
    ),
    Recipe("corrupt", "truncated JPEG", 2, "_truncated.jpg", save_truncated_jpeg),
    Recipe("corrupt", "truncated PNG", 1, "_truncated.png", save_truncated_png),
    Recipe("corrupt", "HTML named .jpg", 1, "_not_found.jpg", save_error_page),
    Recipe("corrupt", "0 bytes", 1, "_empty.jpg", save_empty),
)
EXACT_DUPLICATES = 6


def plant_files(images_dir: Path, originals: Sequence[DemoFile], seed: int) -> list[DemoFile]:
    """Rename some originals and plant files beside others.

    Args:
        images_dir: Folder of the originals.
        originals: Their records.
        seed: Which originals are used; each is used at most once.

    Returns:
        The records of all originals, under their new names, and of all planted files.
    """
    large = [file for file in originals if _is_large_enough(images_dir / file.name)]
    picks = iter(random.Random(seed).sample(large, k=count_needed()))
    records = {file.name: file for file in originals}
    for variant, form in _NAME_FORMS:
        original = next(picks)
        records[original.name] = _rename(images_dir, original, variant, form)
    copies = [_copy(images_dir, next(picks)) for _ in range(EXACT_DUPLICATES)]
    made = [
        _make(images_dir, next(picks), recipe) for recipe in RECIPES for _ in range(recipe.count)
    ]
    return [*records.values(), *copies, *made]


def count_needed() -> int:
    """Return how many originals the planting takes."""
    return len(_NAME_FORMS) + EXACT_DUPLICATES + sum(recipe.count for recipe in RECIPES)


def _is_large_enough(path: Path) -> bool:
    with Image.open(path) as image:
        return min(image.size) >= _MIN_SIDE_PX


def _rename(images_dir: Path, original: DemoFile, variant: str, form: str) -> DemoFile:
    path = PurePosixPath(original.name)
    renamed = path.with_name(form.format(stem=path.stem) + path.suffix)
    (images_dir / path).rename(images_dir / renamed)
    return replace(original, name=str(renamed), kind="non_ascii_name", variant=variant)


def _copy(images_dir: Path, original: DemoFile) -> DemoFile:
    path = PurePosixPath(original.name)
    copy = path.with_name(f"{path.stem}_copy{path.suffix}")
    shutil.copyfile(images_dir / path, images_dir / copy)
    return replace(
        original, name=str(copy), kind="exact_duplicate", variant="copy", copy_of=original.name
    )


def _make(images_dir: Path, original: DemoFile, recipe: Recipe) -> DemoFile:
    path = PurePosixPath(original.name)
    made = path.with_name(path.stem + recipe.suffix)
    recipe.save(open_upright(images_dir / path), images_dir / made)
    is_copy = recipe.kind != "corrupt"
    return replace(
        original,
        name=str(made),
        kind=recipe.kind,
        variant=recipe.variant,
        copy_of=original.name if is_copy else "",
        size_bytes=(images_dir / made).stat().st_size,
    )
