"""One run of the benchmark: measure, print, and keep the tables with the machine they are of."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import torch

from harness.bench.bounds import step_verdicts, verdicts
from harness.bench.cases import Maps, measured
from harness.bench.cohort import measure_cohort
from harness.bench.gpu import Variant, measure_gpu
from harness.bench.gpu_table import gpu_note, gpu_table
from harness.bench.loader import measure_decoders, measure_loaders
from harness.bench.loader_table import decoder_table, loader_table
from harness.bench.losses import measure_losses
from harness.bench.steps import every_method, listed_methods, measure_steps
from harness.bench.street import draw_streets
from harness.bench.tables import (
    bound_table,
    cohort_table,
    environment_note,
    loss_table,
    plain_values,
    step_bound_table,
    step_table,
)
from harness.config import read_params, read_profile
from harness.environment import describe_environment, git_commit
from harness.errors import SuiteError
from harness.progress import progress
from harness.records import write_bytes, write_json
from harness.report.formats import markdown, plain
from harness.report.table import Table

T = TypeVar("T")
STREETS = 8
COHORT_STEPS = 40


def bench_losses(folder: Path, maps: Maps, repeats: int) -> None:
    """Measure every loss term; writes losses.json and losses.md, or losses-`maps`."""
    _require_positive(repeats)
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    rows = _watched(measure_losses(maps, repeats), "losses", len(measured(maps)))
    machine = _machine(1, repeats, load)
    tables = [loss_table(rows, [environment_note(machine)])]
    if maps != "large":
        tables.append(bound_table(verdicts(rows)))
    _keep(folder / ("losses" if maps == "usual" else f"losses-{maps}"), tables, machine)


def bench_steps(folder: Path, profile_name: str | None, repeats: int, every: bool = False) -> None:
    """Measure the methods' steps in a profile (None: the active one); writes steps-PROFILE.

    `every` adds the methods that the profile does not list.
    """
    _require_positive(repeats)
    name = profile_name or read_params().profile
    profile = read_profile(name)
    dataset, crop = profile.grid.datasets[0], profile.data[profile.grid.datasets[0]].crop
    load = os.getloadavg()[0]
    configs = (every_method if every else listed_methods)(name, profile, dataset)
    rows = _watched(measure_steps(configs, profile, dataset, repeats), "steps", len(configs))
    machine = _machine(profile.train.threads, repeats, load)
    title = f"Cost of a step, profile {name}: batch {profile.train.batch}, {crop[0]}x{crop[1]}"
    tables = [step_table(rows, title, [environment_note(machine)])]
    if found := step_verdicts(rows):
        tables.append(step_bound_table(found))
    _keep(folder / f"steps-{name}", tables, machine)


def bench_cohort(folder: Path, profile_name: str | None, steps: int) -> None:
    """Train a profile's methods for `steps` together and apart; writes cohort-PROFILE.

    Raises SuiteError if the profile's first dataset is not there.
    """
    name = profile_name or read_params().profile
    profile = read_profile(name)
    dataset, crop = profile.grid.datasets[0], profile.data[profile.grid.datasets[0]].crop
    load = os.getloadavg()[0]
    found = measure_cohort(listed_methods(name, profile, dataset), steps)
    machine = _machine(profile.train.threads, 1, load)
    about = f"Profile {name}, {dataset}: batch {profile.train.batch}, {crop[0]}x{crop[1]}."
    _keep(
        folder / f"cohort-{name}",
        [cohort_table(found, steps, [about, environment_note(machine)])],
        machine,
    )


def bench_loader(folder: Path, repeats: int) -> None:
    """Measure the loader beside mmsegmentation's on drawn files; writes loader.json and .md.

    The files are drawn anew into a temporary folder.
    """
    _require_positive(repeats)
    size, crop = (1024, 2048), (512, 1024)
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        draw_streets(root, STREETS, size)
        images = sorted(root.glob("leftImg8bit/train/*/*"))
        megabytes = sum(path.stat().st_size for path in images) / len(images) / 1e6
        rows = measure_loaders(root, size, crop, repeats)
        decoders = measure_decoders(images[0], repeats)
    machine = _machine(1, repeats, load)
    notes = [
        f"{STREETS} drawn street scenes, {megabytes:.1f} MB a PNG (Cityscapes' take about 2.3), "
        f"{repeats} crops of each.",
        environment_note(machine),
    ]
    title = f"Loader: {size[0]}x{size[1]}, scaled by 0.5 to 2, crops of {crop[0]}x{crop[1]}"
    tables = [loader_table(rows, title, notes), decoder_table(decoders, [])]
    _keep(folder / "loader", tables, machine)


def bench_gpu(
    folder: Path,
    profile_name: str | None,
    crops: Sequence[tuple[int, int]] | None,
    precisions: Sequence[str],
    levels: Sequence[str] | None,
    repeats: int,
    every: bool = False,
) -> None:
    """Measure the methods' steps on this machine's GPU; writes gpu-PROFILE-CROP-PRECISION.

    One such table for each of `crops` and `precisions`, with all `levels` of determinism (None:
    the profile's crop, the profile's level); it is kept anew with every row. Raises SuiteError
    where there is no GPU.
    """
    _require_positive(repeats)
    if not torch.cuda.is_available():
        raise SuiteError("no GPU that torch can use; `python -m harness doctor` says what it sees")
    device = torch.device("cuda")
    name = profile_name or read_params().profile
    profile = read_profile(name)
    dataset = profile.grid.datasets[0]
    configs = (every_method if every else listed_methods)(name, profile, dataset)
    for crop, precision in product(crops or [profile.data[dataset].crop], precisions):
        load = os.getloadavg()[0]
        variants = [
            Variant(crop, precision, level) for level in levels or [profile.train.determinism]
        ]
        text = f"{crop[0]}x{crop[1]}"
        title = f"Cost of a step on a GPU, profile {name}: batch {profile.train.batch}, {text}"
        total, rows = len(variants) * (len(configs) + 1), []
        with progress(f"gpu {text} {precision}", total) as show:
            for row in measure_gpu(configs, profile, dataset, variants, repeats, device):
                rows.append(row)
                machine = _machine(
                    profile.train.threads, repeats, load, torch.cuda.get_device_name(device)
                )
                tables = [gpu_table(rows, title, [gpu_note(machine)])]
                _write(folder / f"gpu-{name}-{text}-{precision}", tables, machine)
                show(len(rows))
        print("\n".join(plain(table) for table in tables))


def _require_positive(repeats: int) -> None:
    if repeats < 1:
        raise SuiteError(f"--repeats must be at least 1, got {repeats}")


def _watched(rows: Iterator[T], label: str, total: int) -> list[T]:
    done: list[T] = []
    with progress(f"bench {label}", total) as show:
        for row in rows:
            done.append(row)
            show(len(done))
    return done


def _machine(threads: int, repeats: int, load: float, device: str = "cpu") -> dict[str, Any]:
    return {
        **describe_environment(device, threads),
        "git_commit": git_commit(),
        "repeats": repeats,
        "load": [load, os.getloadavg()[0]],  # processes at work in the last minute
    }


def _keep(path: Path, tables: Sequence[Table], machine: dict[str, Any]) -> None:
    print("\n".join(plain(table) for table in tables))
    _write(path, tables, machine)
    print(f"{path}.md and .json written")


def _write(path: Path, tables: Sequence[Table], machine: dict[str, Any]) -> None:
    text = "\n".join(markdown(table) for table in tables)
    write_bytes(path.with_name(path.name + ".md"), text.encode())
    values = {"schema": 1, **plain_values(tables), "environment": machine}
    write_json(path.with_name(path.name + ".json"), values)
