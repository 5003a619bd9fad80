"""How stable PCD's kept channels and its matching are over a training, from the logs."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from segdistill.errors import SuiteError
from segdistill.inspection.channels import METHOD, Channels
from segdistill.inspection.score_plots import title_of
from segdistill.pipeline.cells import run_folder
from segdistill.report.logs import read_series, stack
from segdistill.report.plots.style import PALETTE, Plot, finish, panels, styled
from segdistill.report.tables.table import Value
from segdistill.settings.loading import RunConfig

COUNTERS = {
    "kept_changed": "kept channels replaced, %",
    "matched_changed": "student channels rematched, %",
    "mean_similarity": "similarity of the pairs, %",
}


def stability_plot(channels: Channels, seeds: tuple[int, ...]) -> Plot:
    """Shares that changed at the logged steps since the matching before, all finished seeds.

    Beside them, as a dotted line, what changes from batch to batch when the student is held
    fixed: the part of the unrest that is due to the batch alone.
    """
    logs = _logs(channels.config, seeds)
    title = f"{title_of(channels)}: stability over the training"
    with styled():
        figure, axes = panels(len(COUNTERS), 3.8, 3.0)
        for axis, (counter, label) in zip(axes, COUNTERS.items(), strict=True):
            _panel(axis, logs, counter)
            axis.set_title(label)
            axis.set_xlabel("training step")
            axis.grid(axis="y")
        if channels.rematched:
            fixed = 100 * sum(channels.rematched) / len(channels.rematched)
            axes[1].axhline(fixed, color=PALETTE[1], linestyle=":", label="student held fixed")
            axes[1].legend(fontsize=8)
        figure.suptitle(f"{title}, seeds {', '.join(map(str, logs))}", fontsize=11, ha="left", x=0)
        return finish(figure, "stability", title, _values(logs))


def _logs(config: RunConfig, seeds: tuple[int, ...]) -> dict[int, Path]:
    folders = {s: run_folder(config.profile, config.dataset, config.method, s) for s in seeds}
    found = {s: f / "log.jsonl" for s, f in folders.items() if (f / "log.jsonl").is_file()}
    if not found:
        first = next(iter(folders.values()))
        raise SuiteError(f"{first}/log.jsonl: missing; run the training's stage again")
    return found


def _series(path: Path, counter: str) -> "pd.Series[float]":
    values = read_series(path, f"{METHOD}/{counter}")
    if values.empty:
        raise SuiteError(f"{path}: logs no {METHOD}/{counter}; run the training's stage again")
    return values


def _panel(axis: Axes, logs: Mapping[int, Path], counter: str) -> None:
    # The first matching replaces nothing.
    values = 100 * stack([_series(path, counter) for path in logs.values()]).iloc[1:]
    low, high = values.min(axis=1), values.max(axis=1)
    axis.fill_between(values.index, low, high, color=PALETTE[0], alpha=0.22, linewidth=0)
    axis.plot(values.index, values.mean(axis=1), color=PALETTE[0], linewidth=1.6)
    axis.set_ylim(bottom=min(0.0, float(low.min())))


def _values(logs: Mapping[int, Path]) -> list[dict[str, Value]]:
    return [
        {"seed": seed, "step": int(step), **dict(zip(COUNTERS, values, strict=True))}
        for seed, path in logs.items()
        for step, *values in stack([_series(path, counter) for counter in COUNTERS]).itertuples()
    ]
