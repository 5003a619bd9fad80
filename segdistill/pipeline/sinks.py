"""Training logs handed on to viewers that one may have: TensorBoard or DVCLive.

log.jsonl is what the suite writes and reads; these are copies of it, made afterwards, so that no
training depends on a viewer. Both are optional: `pip install -e '.[tensorboard]'` or `.[dvclive]`.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from segdistill.errors import SuiteError
from segdistill.pipeline.training_log import Row, read_rows

LOG = "log.jsonl"
Sink = Callable[[Path, Sequence[Row]], None]


def export_logs(source: Path, sink: str, target: Path) -> list[Path]:
    """Write every log.jsonl below `source` through `sink`, each to its own place in `target`.

    The places repeat the folders below `source`. Returns them. Raises SuiteError if there is no
    log, one is unreadable, or the sink's package is absent.
    """
    logs = sorted(source.rglob(LOG))
    if not logs:
        raise SuiteError(f"{source}: no {LOG} below; name a run's folder or results/PROFILE")
    places = []
    for path in logs:
        place = target / path.parent.relative_to(source)
        SINKS[sink](place, list(read_rows(path)))
        places.append(place)
    return places


def to_tensorboard(place: Path, rows: Sequence[Row]) -> None:
    """One event file in `place`, a scalar a quantity; earlier event files there are removed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise _absent("tensorboard") from error
    for old in place.glob("events.out.tfevents.*"):
        old.unlink()
    with SummaryWriter(str(place)) as writer:
        for step, values in rows:
            for name, value in _finite(values).items():
                writer.add_scalar(name, value, step)


def to_dvclive(place: Path, rows: Sequence[Row]) -> None:
    """DVCLive's metrics.json and plots/metrics/*.tsv in `place`; no experiment, no dvc.yaml.

    Written from outside the repository: in one that has no .dvc, DVCLive would run `dvc init`.
    """
    try:
        from dvclive.live import Live
    except ImportError as error:
        raise _absent("dvclive") from error
    logging.getLogger("dvclive").setLevel(logging.ERROR)  # it would propose experiments
    folder = str(place.resolve())
    with (
        TemporaryDirectory() as outside,
        chdir(outside),
        Live(folder, save_dvc_exp=False, dvcyaml=False) as live,
    ):
        for step, values in rows:
            live.step = step
            for name, value in _finite(values).items():
                live.log_metric(name, value)


SINKS: Mapping[str, Sink] = {"tensorboard": to_tensorboard, "dvclive": to_dvclive}


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    """Viewers draw gaps for values that are absent, and stumble over those that are no numbers."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _absent(package: str) -> SuiteError:
    return SuiteError(f"{package} is not installed; pip install -e '.[{package}]'")
