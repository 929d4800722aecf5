"""Lets old `lightly` releases be imported where torch and its relatives are not installed.

Releases up to 1.2 import their training code before their API client. `install` makes every import
below the packages in `ABSENT_PACKAGES` succeed: whatever name is asked for is a `Blank` class that
can be subclassed, called and used as decorator, and does nothing. Only what the upload code runs is
real: folders of images, the image backend, and terminal colours (none).

Runs inside a client's own environment: nothing but the standard library and Pillow.
"""

import abc
import importlib.abc
import os
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

ABSENT_PACKAGES = frozenset(
    {"hydra", "lightning_utilities", "omegaconf", "pytorch_lightning", "torch", "torchvision"}
)
IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def install() -> None:
    """Answer imports of the absent packages from now on."""
    sys.meta_path.insert(0, _BlankFinder())


def _is_dunder(name: str) -> bool:
    # Python looks for these to learn what an object can do; a blank can do nothing special.
    return name.startswith("__") and name.endswith("__")


class _BlankType(abc.ABCMeta):
    """Class of blanks; an ABCMeta, because some subclasses of blanks are abstract."""

    def __getattr__(cls, name: str) -> Any:
        if _is_dunder(name):
            raise AttributeError(name)
        return _make_blank(name)

    # Annotations such as `Dataset[int]` are evaluated.
    def __getitem__(cls, _item: object) -> "_BlankType":
        return cls


class Blank(metaclass=_BlankType):
    """Takes anything and does nothing."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Act as decorator when given just a function, else return itself."""
        is_decorating = len(args) == 1 and not kwargs and callable(args[0])
        return args[0] if is_decorating else self

    def __getattr__(self, name: str) -> Any:
        if _is_dunder(name):
            raise AttributeError(name)
        return Blank()


def _make_blank(name: str) -> Any:
    return _BlankType(name, (Blank,), {})


class _BlankModule(types.ModuleType):
    __version__ = "0.0.0"
    __path__: list[str] = []  # noqa: RUF012  Python wants a list; nothing is ever added to it

    def __getattr__(self, name: str) -> Any:
        if _is_dunder(name):
            raise AttributeError(name)
        # Remembered, so that `isinstance` sees the same class every time.
        blank = _make_blank(name)
        setattr(self, name, blank)
        return blank


class _BlankFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in ABSENT_PACKAGES:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _BlankModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module).update(_REAL_NAMES.get(module.__name__, {}))


Transform = Callable[[Any], Any]


class NoColors:
    """Terminal colours that colour nothing."""

    HEADER = OKBLUE = OKGREEN = WARNING = FAIL = ENDC = BOLD = UNDERLINE = ""


class VisionDataset:
    """What folder datasets have in common."""

    def __init__(
        self,
        root: str,
        transforms: Transform | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root = root
        self.transforms = transforms
        self.transform = transform
        self.target_transform = target_transform


class ImageFolder(VisionDataset):
    """The images below a folder, class by class; the class is the first sub-folder."""

    def __init__(
        self,
        root: str,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader or _load_image
        self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}
        is_wanted = is_valid_file or (lambda path: path.lower().endswith(IMAGE_EXTENSIONS))
        self.samples = self.imgs = [
            (path, index)
            for name, index in self.class_to_idx.items()
            for path in _list_files(Path(root) / name)
            if is_wanted(path)
        ]
        self.targets = [index for _, index in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        path, target = self.samples[index]
        image = self.loader(path)
        return (self.transform(image) if self.transform else image), target


def _list_files(folder: Path) -> Iterator[str]:
    for parent, _, names in sorted(os.walk(folder, followlinks=True)):
        yield from (str(Path(parent, name)) for name in sorted(names))


def _load_image(path: str) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


_REAL_NAMES: dict[str, dict[str, object]] = {
    "torch.utils.hipify.hipify_python": {"bcolors": NoColors},
    "torchvision": {"get_image_backend": lambda: "PIL"},
    "torchvision.datasets": {
        "DatasetFolder": ImageFolder,
        "ImageFolder": ImageFolder,
        "VisionDataset": VisionDataset,
    },
}
