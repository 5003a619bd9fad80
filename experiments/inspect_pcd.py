"""Look inside a finished run of PCD (reconstructed from the abstract).

Prints a CSV line for each channel of the teacher: its score, whether it is kept, the class it
responds to most, and the student channels that learn it.

The student is held fixed and shown the first batches of its training once more. The teacher is
frozen, so scores and kept channels are those that the training had at that step.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from pcd.method import Findings
from segdistill.data.augmentation import Augmentation
from segdistill.data.opening import open_data
from segdistill.data.stream import batches
from segdistill.distill import View
from segdistill.errors import SuiteError
from segdistill.leaving import leave_with
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import SegmentationNet, build
from segdistill.models.weights import load_weights
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig, Term, run_config
from segdistill.settings.schema import Network
from segdistill.training.methods import build_method

METHOD = "pcd"
CONTROLS = ("random", "none")  # scores that look at no class
HEADER = ("channel", "score", "kept", "class", "response", "students")


def main() -> int:
    """Print the table, and how much of the matching changes from batch to batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", help="one with finished runs of PCD")
    parser.add_argument("dataset")
    parser.add_argument("method", nargs="?", default=METHOD, help="the key of the block")
    parser.add_argument("--seed", type=int, default=0, help="the student to look at")
    parser.add_argument("--steps", type=int, default=50, help="training batches to show")
    args = parser.parse_args()
    config = run_config(Cell(args.experiment, args.dataset, args.method, args.seed))
    classes, findings, changes = look(config, args.steps)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(classes, findings))
    if changes:
        share = sum(changes) / len(changes)
        print(f"{100 * share:.1f} % of the matching changes from batch to batch", file=sys.stderr)
    return 0


def look(config: RunConfig, steps: int) -> tuple[list[str], Findings, list[float]]:
    """Names of the classes that responses were measured for, what PCD finds in `steps` batches,
    and the share of the matching that each batch after the first changes.

    Raises SuiteError for another method, a control, too few batches, or missing weights.
    """
    split = open_data(config.dataset, config.data, config.data.train_split)
    count = len(split.info.classes)
    student = load(config.student, config.cell, count)
    teacher = load(config.teacher or config.student, config.cell.teacher, count)
    distiller: Any = build_method(pcd_term(config), student.spec(), teacher.spec())
    augmentation = Augmentation(config.data.crop, config.training.scale, config.training.flip)
    changes = []
    for batch in batches(split, augmentation, config.seed, config.training.batch, 0, steps):
        images = normalise(batch.images)
        with torch.no_grad():
            outputs = [net(images, distiller.student_taps) for net in (student, teacher)]
        torch.manual_seed(0)
        views = (View(output.logits, output.taps, images) for output in outputs)
        distiller.losses(*views, batch.labels)
        changes.append(distiller.counters()["matched_changed"])
    findings: Findings = distiller.findings()
    if len(findings.classes) < 2:
        raise SuiteError(
            f"{config.dataset}: fewer than two classes have {distiller.config.min_pixels} pixels "
            f"in {steps} batches, so no channel has a score; show more with --steps"
        )
    return [split.info.classes[i] for i in findings.classes.tolist()], findings, changes[1:]


def rows(classes: Sequence[str], findings: Findings) -> Iterator[tuple[object, ...]]:
    """The teacher's channels, best first; student channels are joined by spaces."""
    kept, matched = set(findings.kept.tolist()), findings.matched.tolist()
    for channel in findings.scores.argsort(descending=True, stable=True).tolist():
        responses = findings.responses[:, channel]
        best = int(responses.argmax())
        students = [str(student) for student, found in enumerate(matched) if found == channel]
        score, response = float(findings.scores[channel]), float(responses[best])
        yield channel, score, channel in kept, classes[best], response, " ".join(students)


def pcd_term(config: RunConfig) -> Term:
    """PCD's term of the run, with running sums, which alone can be looked at afterwards."""
    term = next((term for term in config.terms if term.method == METHOD), None)
    if term is None or term.fields.get("score") in CONTROLS or term.fields.get("weight") == 0:
        raise SuiteError(
            f"methods.{config.method}: no {METHOD} with a weight and a score that looks at classes"
        )
    return Term(METHOD, {**term.fields, "responses": "running"})


def load(network: Network, cell: Cell, classes: int) -> SegmentationNet:
    """A trained network. Raises SuiteError if it is not there."""
    net = build(network, classes)
    load_weights(cell.run_dir / "weights.safetensors", net)
    return net.eval()


if __name__ == "__main__":
    leave_with(main)
