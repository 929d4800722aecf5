"""What a selection is worth: accuracy against the number of labelled images.

    python -m benchmarks.curation_value                    # fashion and digits, 20 pools each
    python -m benchmarks.curation_value --sources emoji drawings
    python -m benchmarks.curation_value --sources fashion --seeds 5 --methods auto random

Images come from package registries and are embedded once with the shipped model; images,
embeddings and accuracies are kept in the user's cache folder. AUTO was tuned on pools of
``fashion`` drawn with other seeds; the other sources were only looked at afterwards.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.curation_value.bank import load_bank
from benchmarks.curation_value.images import SOURCES
from benchmarks.curation_value.listing import list_study
from benchmarks.curation_value.methods import AUTO, METHODS
from benchmarks.curation_value.pools import KINDS
from benchmarks.curation_value.study import run_study

DEFAULT_SOURCES = ["fashion", "digits"]
BUDGETS = (30, 60, 150, 300, 1_000)


def main() -> None:
    """Print tables; draw pictures if a folder is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", nargs="*", choices=SOURCES, default=DEFAULT_SOURCES)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--budgets", nargs="*", type=int, default=list(BUDGETS))
    parser.add_argument("--seeds", type=int, default=20, help="pools of each kind")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, help="folder for curation_value_SOURCE.png")
    chosen = parser.parse_args()
    if AUTO not in chosen.methods:
        chosen.methods.append(AUTO)
    for source in chosen.sources:
        compare(source, chosen)


def compare(source: str, chosen: argparse.Namespace) -> None:
    """Print the tables of one source."""
    bank = load_bank(source)
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    studies = []
    for kind in chosen.kinds:
        study = run_study(
            source, bank, kind, seeds=seeds, budgets=chosen.budgets, methods=chosen.methods
        )
        print(list_study(study), flush=True)
        studies.append(study)
    if chosen.pictures is not None:
        from benchmarks.curation_value.chart import draw_studies

        draw_studies(studies, chosen.pictures / f"curation_value_{source}.png")


if __name__ == "__main__":
    main()
