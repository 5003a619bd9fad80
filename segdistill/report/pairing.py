"""Whether the cells of a dataset may be compared, and what published work used the same pair."""

from collections.abc import Callable, Iterable

from segdistill.records import RunRecord
from segdistill.report.matrix import Finished, Matrix
from segdistill.settings.cell import TEACHER

DECODERS = {
    "pspnet": "PSPNet",
    "deeplabv3": "DeepLabV3",
    "deeplabv3plus": "DeepLabV3+",
    "fcn": "FCN",
}
FULL_WIDTH = 64  # channels of the first stage of the published ResNets


def pairing_warnings(matrix: Matrix, dataset: str) -> tuple[str, ...]:
    """What keeps the dataset's cells from being a fair comparison; empty where all is well."""
    runs = [result.run for result in matrix.finished(dataset) if result.run.method != TEACHER]
    checks: tuple[tuple[str, Callable[[RunRecord], object]], ...] = (
        ("data manifests", lambda run: run.manifest_sha256),
        ("teachers", lambda run: run.teacher_sha256),
    )
    warnings = [
        f"{dataset}: its cells were trained with different {what}; run them again."
        for what, value in checks
        if _count(value(run) for run in runs) > 1
    ]
    for seed in matrix.experiment.seeds:
        of_seed = [run for run in runs if run.seed == seed]
        if _count((run.initial_weights_sha256, run.order_sha256) for run in of_seed) > 1:
            warnings.append(
                f"{dataset}: at seed {seed} the methods began from different weights or saw the "
                "data in different orders, so their gains are not paired; run them again."
            )
    images = {(r.scores.split, tuple(r.areas.names)) for r in matrix.finished(dataset)}
    if len(images) > 1:
        warnings.append(f"{dataset}: its cells were evaluated on different images; evaluate again.")
    return tuple(warnings)


def published_pair(result: Finished) -> tuple[str, str]:
    """Teacher and student as papers name them, such as DeepLabV3-R101 and PSPNet-R18."""
    config = result.run.config
    return _network(config.get("teacher")), _network(config.get("student"))


def _network(config: object) -> str:
    """The published name; one of another width is no published network and gets its width."""
    if not isinstance(config, dict):
        return ""
    decoder = DECODERS.get(str(config.get("decoder")), str(config.get("decoder")))
    if config.get("backbone") == "mobilenet_v2":
        scale = config.get("widen", 1.0)
        return f"{decoder}-MBV2" + ("" if scale == 1.0 else f" x{scale}")
    width = config.get("width", FULL_WIDTH)
    return f"{decoder}-R{config.get('depth')}" + ("" if width == FULL_WIDTH else f" w{width}")


def _count(values: Iterable[object]) -> int:
    return len(set(values))
