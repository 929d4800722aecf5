"""The figures as Markdown."""

from __future__ import annotations

from benchmarks.curation_value.study import Study, Verdict


def list_study(study: Study) -> str:
    """Return a table of accuracies with standard errors, and a verdict per budget."""
    head = ["mean class accuracy", *(f"{budget:,} labels" for budget in study.budgets)]
    lines = [head, ["---"] * len(head)]
    best = [max(study.mean(method)[place] for method in study.accuracies)
            for place in range(len(study.budgets))]  # fmt: skip
    for method in study.accuracies:
        cells = [
            _format(mean, error, is_best=mean == top)
            for mean, error, top in zip(
                study.mean(method), study.standard_error(method), best, strict=True
            )
        ]
        lines.append([method, *cells])
    lines.append(["auto is as good as the best", *map(_format_verdict, study.judge())])
    n_seeds = len(next(iter(study.accuracies.values())))
    title = f"**{study.source}, {study.kind}** ({study.n_images:,} images, {n_seeds} pools)"
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{title}\n\n{table}\n"


def _format(mean: float, error: float, *, is_best: bool) -> str:
    text = f"{mean:.3f} ± {error:.3f}"
    return f"**{text}**" if is_best else text


def _format_verdict(verdict: Verdict) -> str:
    word = "yes" if verdict.is_as_good else "**no**"
    return f"{word}: {-100 * verdict.lead:+.1f} ± {100 * verdict.error:.1f} points"
