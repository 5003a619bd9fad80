"""All plots of one inspected run, and where they are written."""

from pathlib import Path

from harness.cells import RESULTS
from harness.errors import SuiteError
from harness.grid import grid_of
from harness.inspection.channels import inspect_channels
from harness.inspection.map_plot import map_plot
from harness.inspection.score_plots import response_plot, score_plot
from harness.inspection.stability_plot import stability_plot
from harness.report.files import fill, plot_files


def inspect_pcd(profile: str, dataset: str, method: str, seed: int, steps: int) -> list[Path]:
    """Write the plots into results/PROFILE/inspection/DATASET/METHOD-seedS; the PNGs' paths.

    Raises SuiteError for wrong arguments or missing results.
    """
    if steps < 2:
        raise SuiteError(f"--steps must be at least 2, got {steps}")
    channels = inspect_channels(profile, dataset, method, seed, steps)
    plots = [
        response_plot(channels),
        score_plot(channels),
        stability_plot(channels, grid_of(profile).seeds),
        map_plot(channels),
    ]
    folder = RESULTS / profile / "inspection" / dataset / f"{method}-seed{seed}"
    fill(folder, {name: data for plot in plots for name, data in plot_files(plot).items()})
    return [folder / f"{plot.name}.png" for plot in plots]
