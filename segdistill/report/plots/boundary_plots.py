"""mIoU in a band around the label's boundaries, over the band's radius."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from segdistill.report.comparison import Comparison, Row, deviation, mean
from segdistill.report.names import dataset_title
from segdistill.report.plots.style import INK, Look, Plot, finish, looks, panels, styled
from segdistill.report.tables.matrix import TEACHER, Finished, Matrix
from segdistill.report.tables.table import Value


def boundary_plot(matrix: Matrix, comparison: Comparison) -> Plot | None:
    """Left the trimap mIoU of every row, right its gain over the student; None if nothing ran."""
    rows = [row for row in comparison.rows if row.results]
    if not rows:
        return None
    radii = sorted(next(iter(rows[0].results.values())).scores.trimap_miou, key=float)
    look = looks(matrix.grid.methods)
    title = f"{dataset_title(matrix, comparison.dataset)}: mIoU near the label's boundaries"
    with styled():
        figure, (level, gain) = panels(2, 4.6, 3.6)
        if comparison.teacher:
            teacher = {0: comparison.teacher}
            _draw(level, radii, [_levels(teacher, r) for r in radii], look[TEACHER], TEACHER)
        for row in rows:
            label, one = row.method, look[row.method]
            _draw(level, radii, [_levels(row.results, radius) for radius in radii], one, label)
            if row.gain and comparison.student:
                gains = [_paired(row, comparison.student, radius) for radius in radii]
                _draw(gain, radii, gains, one, label)
        gain.axhline(0, color=INK, linewidth=1)
        level.set_ylabel("trimap mIoU, %")
        gain.set_ylabel("gain over student, points")
        figure.suptitle(f"{title} (mean ± std over seeds)", fontsize=11, ha="left", x=0.01)
        handles, labels = level.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(7, len(labels)))
        return finish(figure, f"boundary_{comparison.dataset}", title, _values(comparison, radii))


def _levels(results: Mapping[int, Finished], radius: str) -> list[float]:
    values = [result.scores.trimap_miou[radius] for result in results.values()]
    return [value for value in values if value is not None]


def _paired(row: Row, student: Row, radius: str) -> list[float]:
    pairs = [
        (result.scores.trimap_miou[radius], student.results[seed].scores.trimap_miou[radius])
        for seed, result in row.results.items()
        if seed in student.results
    ]
    return [ours - base for ours, base in pairs if ours is not None and base is not None]


def _draw(axis: Axes, radii: list[str], values: list[list[float]], look: Look, label: str) -> None:
    known = [i for i, found in enumerate(values) if found]
    axis.errorbar(
        known,
        [100 * (mean(values[i]) or 0.0) for i in known],
        [100 * (deviation(values[i]) or 0.0) for i in known],
        color=look.colour, marker=look.marker, linestyle=look.dash, label=label,
        markersize=5, linewidth=1.5, elinewidth=0.8, capsize=2,
    )  # fmt: skip
    axis.set_xticks(range(len(radii)), radii)
    axis.set_xlabel("radius of the band, pixels")
    axis.grid(axis="y")


def _values(comparison: Comparison, radii: list[str]) -> list[dict[str, Value]]:
    found = {TEACHER: {0: comparison.teacher}} if comparison.teacher else {}
    found |= {row.method: dict(row.results) for row in comparison.rows if row.results}
    return [
        {
            "dataset": comparison.dataset,
            "method": method,
            "radius": int(radius),
            "seeds": len(results),
            "mean": mean(_levels(results, radius)),
            "std": deviation(_levels(results, radius)),
        }
        for method, results in found.items()
        for radius in radii
    ]
