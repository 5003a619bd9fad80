"""Loss terms against their literal formulas: `python -m benchmarks.losses --help`.

Forward and backward on random maps, one thread; "literal" is the formula written out as the
published code does it. Memory is the largest allocation of the step beyond its inputs.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from distill import NetSpec, View, load

TAP = "head.embedding"
CLASSES = 19
REPEATS = 5
Term = Callable[[], Tensor]


def literal_kd(student: Tensor, teacher: Tensor) -> Tensor:
    log_student, log_teacher = F.log_softmax(student, 1), F.log_softmax(teacher, 1)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(1).mean()


def literal_cwd(student: Tensor, teacher: Tensor) -> Tensor:
    maps = student.shape[0] * student.shape[1]
    own, other = (x.reshape(maps, -1) / 4 for x in (student, teacher))
    target = F.softmax(other, 1)
    return 16 * (target * (F.log_softmax(other, 1) - F.log_softmax(own, 1))).sum() / maps


def literal_pairs(student: Tensor, teacher: Tensor, pool: int) -> Tensor:
    def similarity(features: Tensor) -> Tensor:
        nodes: Tensor = F.max_pool2d(features, pool, pool, ceil_mode=True).flatten(2)
        nodes = nodes / nodes.norm(dim=1, keepdim=True)
        return nodes.transpose(1, 2) @ nodes

    return (similarity(teacher) - similarity(student)).square().mean()


def literal_ifvd(student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    def cosines(features: Tensor) -> Tensor:
        centres = features
        for k in range(CLASSES):
            mask = (labels == k)[:, None].expand_as(features).float()
            mean = (mask * features).sum((2, 3)) / (mask.sum((2, 3)) + 1e-6)
            centres = (1 - mask) * centres + mask * mean[:, :, None, None]
        return F.cosine_similarity(features, centres, dim=1)

    return (cosines(student) - cosines(teacher)).square().mean()


def cases(images: int, size: tuple[int, int], widths: tuple[int, int]) -> dict[str, list[Term]]:
    torch.manual_seed(0)
    logits = torch.randn(images, CLASSES, *size, requires_grad=True)
    feature = torch.randn(images, widths[0], *size, requires_grad=True)
    goal, wide = torch.randn(images, CLASSES, *size), torch.randn(images, widths[1], *size)
    equal = wide[:, : widths[0]].contiguous()
    labels = torch.randint(0, CLASSES, (images, *size))

    def ours(name: str, target: Tensor, **options: Any) -> Term:
        specs = (NetSpec(CLASSES, {TAP: x.shape[1]}) for x in (feature, target))
        method = load(name)
        distiller = method(method.Config(**options), *specs)
        views = View(logits, {TAP: feature}), View(goal, {TAP: target})
        return lambda: next(iter(distiller.losses(*views, labels, 0.5).values()))

    alone = {"pixel_weight": 0.0, "holistic_weight": 0.0}
    return {
        "kd": [ours("kd", wide), lambda: literal_kd(logits, goal)],
        "cwd, logits": [ours("cwd", wide, weight=1.0), lambda: literal_cwd(logits, goal)],
        "cwd, features": [
            ours("cwd", equal, weight=1.0, on=TAP),
            lambda: literal_cwd(feature, equal),
        ],
        "ifvd": [
            ours("ifvd", wide, weight=1.0, **alone),
            lambda: literal_ifvd(feature, wide, labels),
        ],
        "skd pairs, kernel 2": [
            ours("skd", wide, **alone),
            lambda: literal_pairs(feature, wide, 2),
        ],
        "skd pairs, no pooling": [
            ours("skd", wide, pair_pool=1, **alone),
            lambda: literal_pairs(feature, wide, 1),
        ],
    }


def step(term: Term) -> float:
    """The value of `term` after its backward pass."""
    loss = term()
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item()


def cpu_seconds(terms: list[Term]) -> list[float]:
    """The best time of each term, taken in turns for at least REPEATS rounds and one second."""
    rounds: list[list[float]] = []
    while len(rounds) < REPEATS or sum(map(sum, rounds)) < 1:
        rounds.append([])
        for term in terms:
            start = time.process_time()
            step(term)
            rounds[-1].append(time.process_time() - start)
    return [min(times) for times in zip(*rounds, strict=True)]


def peak_mib(term: Term) -> float:
    with torch.profiler.profile(profile_memory=True) as profile:
        step(term)
    held = highest = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            highest = max(highest, held)
    return highest / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4, help="batch size (default: 4)")
    parser.add_argument("--size", type=int, nargs=2, default=[64, 128], help="h w (64 128)")
    parser.add_argument("--widths", type=int, nargs=2, default=[128, 256], help="C_s C_t (128 256)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("term | s | literal s | MiB | literal MiB | relative difference of the values")
    for name, pair in cases(args.images, tuple(args.size), tuple(args.widths)).items():
        values = [step(term) for term in pair]
        seconds = cpu_seconds(pair)
        memory = [peak_mib(term) for term in pair]
        row = [f"{seconds[0]:.4f}", f"{seconds[1]:.4f}", f"{memory[0]:.0f}", f"{memory[1]:.0f}"]
        print(" | ".join([name, *row, f"{abs(values[0] / values[1] - 1):.0e}"]), flush=True)


if __name__ == "__main__":
    main()
