"""What the demo did, in numbers that add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.demo.coverage import CoverageComparison
from tools.demo.drawing import Fact
from tools.demo.manifest import KINDS, DemoFile, DemoFolder, Kind

KIND_NAMES: Mapping[Kind, str] = {
    "original": "real pictures",
    "video_frame": "frames of a real video",
    "non_ascii_name": "real, with unusual names",
    "near_duplicate": "near-duplicates",
    "exact_duplicate": "exact duplicates",
    "blurred": "blurred",
    "cmyk": "CMYK JPEG",
    "16_bit": "16-bit PNG",
    "exif_rotated": "turned by EXIF",
    "corrupt": "broken files",
}
# Short enough for a small tile.
_LABELS: Mapping[Kind, str] = {
    "near_duplicate": "near dup",
    "exact_duplicate": "copy",
    "blurred": "blurred",
    "cmyk": "CMYK",
    "16_bit": "16 bit",
    "exif_rotated": "EXIF",
}


@dataclass(frozen=True)
class KindCount:
    """What became of the files of one kind.

    Attributes:
        kind: Which kind.
        found: Files in the folder.
        uploaded: Files that the server has.
        refused: Files that were refused as no images.
        chosen: Files in the subset.
        copies: Uploaded files that show the picture of another uploaded file again.
        copies_chosen_twice: Of these, how many were chosen although the other was chosen too.
    """

    kind: Kind
    found: int
    uploaded: int
    refused: int
    chosen: int
    copies: int
    copies_chosen_twice: int

    @property
    def left_out(self) -> int:
        """Uploaded files that are not in the subset."""
        return self.uploaded - self.chosen


@dataclass(frozen=True)
class Accounts:
    """Counts of a whole run, and whatever does not add up.

    Attributes:
        kinds: One count per kind that occurs.
        errors: One sentence per contradiction; empty when all is well.
    """

    kinds: tuple[KindCount, ...]
    errors: tuple[str, ...]

    def total(self, name: str) -> int:
        """Return the sum of one column, for example `uploaded`."""
        return sum(getattr(count, name) for count in self.kinds)


def settle_accounts(
    folder: DemoFolder,
    *,
    uploaded: Collection[str],
    refused: Collection[str],
    chosen: Collection[str],
) -> Accounts:
    """Count per kind and look for contradictions.

    Args:
        folder: What was there.
        uploaded: Names that the server lists.
        refused: Names that were refused.
        chosen: Names in the subset.
    """
    uploaded, refused, chosen = set(uploaded), set(refused), set(chosen)
    counts = [count_kind(kind, folder.files, uploaded, refused, chosen) for kind in KINDS]
    return Accounts(
        kinds=tuple(count for count in counts if count.found),
        errors=tuple(find_contradictions(folder, uploaded, refused, chosen)),
    )


def count_kind(
    kind: Kind,
    files: Collection[DemoFile],
    uploaded: Collection[str],
    refused: Collection[str],
    chosen: Collection[str],
) -> KindCount:
    """Count the files of one kind."""
    of_kind = [file for file in files if file.kind == kind]
    copies = [f for f in of_kind if f.name in uploaded and f.copy_of in uploaded]
    return KindCount(
        kind=kind,
        found=len(of_kind),
        uploaded=sum(file.name in uploaded for file in of_kind),
        refused=sum(file.name in refused for file in of_kind),
        chosen=sum(file.name in chosen for file in of_kind),
        copies=len(copies),
        copies_chosen_twice=sum(f.name in chosen and f.copy_of in chosen for f in copies),
    )


def find_contradictions(
    folder: DemoFolder, uploaded: set[str], refused: set[str], chosen: set[str]
) -> list[str]:
    """Return one sentence per way in which the names contradict each other."""
    found = {file.name for file in folder.files}
    broken = set(folder.corrupt_names)
    suspects = {
        "on the server but not in the folder": uploaded - found,
        "refused but not in the folder": refused - found,
        "neither uploaded nor refused": found - uploaded - refused,
        "both uploaded and refused": uploaded & refused,
        "chosen but not uploaded": chosen - uploaded,
        "broken but uploaded": broken & uploaded,
        "good but refused": (refused & found) - broken,
    }
    return [_name_some(what, names) for what, names in suspects.items() if names]


def _name_some(what: str, names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} {what}: {shown}{', ...' if len(names) > 3 else ''}"


def label_files(folder: DemoFolder) -> dict[str, str]:
    """Return a short word for every file that was planted and changed, by its name."""
    return {file.name: _LABELS[file.kind] for file in folder.files if file.kind in _LABELS}


def describe_coverage(comparison: CoverageComparison) -> list[Fact]:
    """Return the headline of a contact sheet: sizes, radius and mean distance against random."""
    pick, left_out = comparison.pick, comparison.total - comparison.size
    return [
        Fact("Images", f"{comparison.total}", "embedded and uploaded"),
        Fact("Chosen", f"{comparison.size}", f"{left_out} left out"),
        _compare("Covering radius", pick.radius, comparison.random_radius),
        _compare("Mean distance to the pick", pick.mean, comparison.random_mean),
    ]


def describe_copies(accounts: Accounts) -> Fact:
    """Return how many copies were chosen although their original was chosen too."""
    twice, copies = accounts.total("copies_chosen_twice"), accounts.total("copies")
    return Fact("Copies chosen twice", f"{twice}", f"of {copies} planted", is_good=not twice)


def _compare(label: str, value: float, random: float) -> Fact:
    change = describe_change(value, random)
    return Fact(label, f"{value:.3f}", f"random {random:.3f}: {change}", is_good=value < random)


def describe_change(value: float, random: float) -> str:
    """Say how much smaller or larger a value is than that of random picks.

    >>> describe_change(0.75, 1.0), describe_change(1.1, 1.0)
    ('25 % smaller', '10 % larger')
    """
    if random == 0:
        return "the same" if value == 0 else "larger"
    share = round(100 * (value / random - 1))
    return f"{abs(share)} % {'larger' if share > 0 else 'smaller'}" if share else "the same"


def print_summary(
    folder: DemoFolder,
    *,
    uploaded: Collection[str],
    refused: Mapping[str, str],
    chosen: Collection[str],
    comparison: CoverageComparison,
    console: Console | None = None,
) -> Accounts:
    """Print what came in, what became of it, and how well the pick covers it.

    Args:
        folder: The prepared folder.
        uploaded: Names that the server lists.
        refused: Names that were refused, with the reason.
        chosen: Names in the subset.
        comparison: Coverage of the pick against random picks.
        console: Where to print.

    Returns:
        The counts; their `errors` are printed too, and a caller should fail on them.
    """
    console = console or Console()
    accounts = settle_accounts(folder, uploaded=uploaded, refused=refused, chosen=chosen)
    console.print(build_kinds_table(accounts))
    if refused:
        console.print(build_refusals_table(refused))
    console.print(build_coverage_table(comparison))
    console.print(describe_balance(accounts), highlight=False)
    for error in accounts.errors:
        console.print(f"[bold red]Does not add up:[/] {escape(error)}")
    return accounts


def build_kinds_table(accounts: Accounts) -> Table:
    """Return the counts per kind, with their sums."""
    table = Table(title="What became of the files", show_footer=True, title_justify="left")
    table.add_column("kind", footer="all")
    for name in ("found", "refused", "uploaded", "chosen", "left_out"):
        footer = str(accounts.total(name))
        table.add_column(name.replace("_", " "), justify="right", footer=footer)
    twice = f"{accounts.total('copies_chosen_twice')} of {accounts.total('copies')}"
    table.add_column("chosen twice", justify="right", footer=twice)
    for count in accounts.kinds:
        table.add_row(
            KIND_NAMES[count.kind],
            *map(str, (count.found, count.refused, count.uploaded, count.chosen, count.left_out)),
            f"{count.copies_chosen_twice} of {count.copies}" if count.copies else "",
        )
    return table


def build_refusals_table(refused: Mapping[str, str]) -> Table:
    """Return every refused file with its reason."""
    table = Table(title="Refused files", title_justify="left")
    table.add_column("file", overflow="fold")
    table.add_column("reason", overflow="fold")
    for name, reason in sorted(refused.items()):
        table.add_row(escape(name), escape(reason))
    return table


def build_coverage_table(comparison: CoverageComparison) -> Table:
    """Return radius and mean distance of the pick beside those of the random picks."""
    pick, repeats = comparison.pick, len(comparison.random_radii)
    table = Table(title="How well the pick covers all images", title_justify="left")
    for name in (
        "",
        f"pick of {comparison.size}",
        f"random, mean of {repeats}",
        "range",
        "pick is",
    ):
        table.add_column(name, justify="right" if name else "left")
    rows = (
        ("covering radius", pick.radius, comparison.random_radius, comparison.random_radii),
        ("mean distance", pick.mean, comparison.random_mean, comparison.random_means),
    )
    for name, value, random, values in rows:
        span = f"{values.min():.3f} to {values.max():.3f}"
        change = describe_change(value, random)
        table.add_row(name, f"{value:.3f}", f"{random:.3f}", span, change)
    return table


def describe_balance(accounts: Accounts) -> str:
    """Return the two sums that everything hangs on, and what became of the copies."""
    found, uploaded, refused, chosen, left_out = (
        accounts.total(name) for name in ("found", "uploaded", "refused", "chosen", "left_out")
    )
    return (
        f"{found} files found = {uploaded} uploaded + {refused} refused.\n"
        f"{uploaded} uploaded = {chosen} chosen + {left_out} left out.\n"
        f"{accounts.total('copies_chosen_twice')} of {accounts.total('copies')} planted copies "
        "were chosen although their original was chosen too."
    )
