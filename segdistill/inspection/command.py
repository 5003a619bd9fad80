"""All plots of one inspected run, and where they are written."""

from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.inspection.channels import inspect_channels
from segdistill.inspection.map_plot import map_plot
from segdistill.inspection.score_plots import response_plot, score_plot
from segdistill.inspection.stability_plot import stability_plot
from segdistill.pipeline.cells import RESULTS
from segdistill.report.files import fill, plot_files
from segdistill.settings.grid import grid_of


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
    fill(folder, plot_files(plots))
    return [folder / f"{plot.name}.png" for plot in plots]
