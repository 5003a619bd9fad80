"""What is told of a run, as titled sections of names and values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from segdistill.explain.reading import GRADIENT, Curve, Explanation
from segdistill.records import RunRecord, ScoreRecord

LOSSES, GRADIENTS, PREDICTIONS = "losses", "gradient norms", "predictions"
COLUMNS = ("term", "first", "last", "mean")
SIGNIFICANT = 5  # digits of a loss
HASHES = ("fingerprint", "code_digest", "manifest_sha256", "teacher_sha256", "pretrained_sha256",
          "initial_weights_sha256", "order_sha256", "weights_sha256", "git_commit")  # fmt: skip
METRICS = ("miou", "iou", "pixel_accuracy", "boundary_iou", "trimap_miou", "small_objects",
           "image_miou", "worst5_miou")  # fmt: skip


@dataclass(frozen=True)
class Section:
    """Lines of equally many entries under a title; `header` is empty for names and values."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sections(told: Explanation) -> list[Section]:
    """The whole story: what, with which settings, on what, how it went, what came of it."""
    return [
        _pairs("run", _what(told.run)),
        _pairs("settings", _flat(told.run.config)),
        _pairs("environment", _flat(told.run.environment)),
        Section(LOSSES, COLUMNS, _rows(told.curves, of_gradient=False)),
        *_gradients(told.curves),
        Section("time", ("phase", "seconds", "share"), _times(told.run)),
        _pairs("hashes", {name: getattr(told.run, name) or "none" for name in HASHES}),
        _pairs("scores", _scores(told.scores) if told.scores else {"": "not scored yet"}),
        *_predictions(told),
    ]


def text_lines(told: Explanation) -> Iterator[str]:
    """The sections as aligned plain text."""
    for section in sections(told):
        yield section.title
        rows = [section.header, *section.rows] if section.header else list(section.rows)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            # Names to the left; numbers of tables to the right, under one another.
            first, *others = zip(row, widths, strict=True)
            cells = [f"{t:>{w}}" if section.header else t for t, w in others]
            yield "  " + "  ".join([f"{first[0]:{first[1]}}", *cells])
        yield ""


def _pairs(title: str, values: Mapping[str, object]) -> Section:
    return Section(title, (), tuple((name, str(value)) for name, value in values.items()))


def _what(run: RunRecord) -> dict[str, object]:
    return {
        "kind": run.kind,
        "profile": run.profile,
        "dataset": run.dataset + " (synthetic)" * run.synthetic + " (subset)" * run.subset,
        "method": run.method + " (reconstructed)" * run.reconstructed,
        "seed": run.seed,
        "steps": run.steps,
        "parameters": run.parameters,
        "determinism": run.determinism,
        "paper": run.paper or "none",
        "note": run.note,
    }


def _rows(curves: tuple[Curve, ...], of_gradient: bool) -> tuple[tuple[str, ...], ...]:
    """First, last and mean value of each curve of the kind."""
    return tuple(
        (
            curve.name.removeprefix(GRADIENT),
            *(f"{v:.{SIGNIFICANT}g}" for v in (values[0], values[-1], fmean(values))),
        )
        for curve in curves
        if curve.of_gradient == of_gradient and (values := curve.values)
    )


def _gradients(curves: tuple[Curve, ...]) -> Iterator[Section]:
    if rows := _rows(curves, of_gradient=True):
        yield Section(GRADIENTS, COLUMNS, rows)


def _predictions(told: Explanation) -> Iterator[Section]:
    """The names of the pictures; the page shows them."""
    if told.pictures:
        names = {path.stem: f"pictures/{path.name}" for path in told.pictures}
        yield _pairs(PREDICTIONS, names)


def _times(run: RunRecord) -> tuple[tuple[str, ...], ...]:
    seconds = run.seconds.model_dump()
    total = seconds["total"]
    return tuple(
        (phase, f"{value:.2f}", f"{100 * value / total:.0f} %" if total else "-")
        for phase, value in seconds.items()
    )


def _scores(scores: ScoreRecord) -> dict[str, object]:
    """Fractions in percent, costs in their own units."""
    shown: dict[str, object] = {"split": f"{scores.split} ({scores.images} images)"}
    for name, value in _flat(scores.model_dump(include=set(METRICS))).items():
        shown[name] = value if name.endswith(".count") else _percent(value)
    shown["classes without a label"] = ", ".join(scores.absent_classes) or "none"
    costs = {"discriminability": scores.discriminability, **_flat(scores.cost.model_dump(), "cost")}
    shown |= {name: "not measured" if v is None else v for name, v in costs.items()}
    return shown


def _percent(value: Any) -> str:
    return "undefined" if value is None else f"{100 * value:.2f} %"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Leaves by their dotted names; a list of plain values is a leaf."""
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        items = enumerate(value)
    else:
        return {name: value}
    leaves: dict[str, Any] = {}
    for key, part in items:
        leaves |= _flat(part, f"{name}.{key}" if name else str(key))
    return leaves
