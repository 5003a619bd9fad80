"""What the harness relies on from every method, as one test class to be given a method."""

import math
from dataclasses import FrozenInstanceError, fields, is_dataclass
from io import BytesIO
from typing import Any, NamedTuple

import pytest
import torch
from scenes import (
    SIZE,
    STUDENT_WIDTH,
    TEACHER_WIDTH,
    Scene,
    changed,
    ignored_at,
    scattered,
    scene,
    spec,
    spoiled,
)
from torch import Tensor

from segdistill.distill import Distiller, View


class Result(NamedTuple):
    """What one call of `losses` and its backward pass gave."""

    terms: dict[str, Tensor]
    gradients: dict[str, Tensor]


def build(method: type[Distiller], **options: Any) -> Distiller:
    torch.manual_seed(7)
    return method(method.Config(**options), spec(STUDENT_WIDTH), spec(TEACHER_WIDTH)).train()


def run(distiller: Distiller, batch: Scene, progress: float = 0.5, seed: int = 11) -> Result:
    """One call of `losses` under `seed`, with the gradients of the sum of its terms."""
    leaves = {name: maps.detach().requires_grad_() for name, maps in batch.leaves().items()}
    taps = {tap: leaves[tap] for tap in distiller.student_taps}
    own = View(leaves["logits"], taps, batch.student.image)
    other = batch.teacher._replace(
        taps={tap: batch.teacher.taps[tap] for tap in distiller.teacher_taps}
    )
    distiller.zero_grad(set_to_none=True)
    torch.manual_seed(seed)
    distiller.progress = progress
    terms = distiller.losses(own, other, batch.labels)
    if terms:
        torch.stack([term.float() for term in terms.values()]).sum().backward()  # type: ignore[no-untyped-call]
    named = {**leaves, **dict(distiller.named_parameters())}
    gradients = {name: leaf.grad for name, leaf in named.items() if leaf.grad is not None}
    return Result({name: term.detach() for name, term in terms.items()}, gradients)


def assert_close(first: Result, second: Result, tolerance: float) -> None:
    """Terms agree relatively, gradients relative to the largest entry of each tensor."""
    assert first.terms.keys() == second.terms.keys()
    for name, term in first.terms.items():
        torch.testing.assert_close(term, second.terms[name], rtol=tolerance, atol=1e-12, msg=name)
    assert first.gradients.keys() == second.gradients.keys()
    for name, gradient in first.gradients.items():
        size = gradient.abs().max().item()
        torch.testing.assert_close(
            gradient, second.gradients[name], rtol=0, atol=tolerance * size, msg=name
        )


def assert_equal(first: Result, second: Result) -> None:
    """Terms and gradients agree in every bit."""
    for ours, theirs in zip(first, second, strict=True):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def assert_finite(result: Result) -> None:
    for name, value in [*result.terms.items(), *result.gradients.items()]:
        assert torch.isfinite(value).all(), name


def weight_fields(method: type[Distiller]) -> list[str]:
    """The Config fields that weigh a term of the student's loss."""
    names = [field.name for field in fields(method.Config)]
    return [
        name
        for name in names
        if (name == "weight" or name.endswith("_weight")) and name != "discriminator_weight"
    ]


class MethodContract:
    """Inherit and give a fixture `method`, a Distiller class; `options` is for variants."""

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {}

    @pytest.fixture
    def masking(self, method: type[Distiller], options: dict[str, Any]) -> dict[str, Any]:
        """Options under which ignored positions count nowhere."""
        if "ignore" not in {field.name for field in fields(method.Config)}:
            pytest.skip(f"{method.name} has no option `ignore`")
        return {**options, "ignore": "mask"}

    def test_says_what_it_is(self, method: type[Distiller]) -> None:
        assert method.name.isidentifier()
        assert method.paper
        assert method.__doc__
        assert is_dataclass(method.Config)
        config = method.Config()
        with pytest.raises(FrozenInstanceError):
            config.anything = 1  # type: ignore[attr-defined]

    def test_terms_are_finite_scalars(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        for progress in (0.0, 0.5, 1.0):
            distiller = build(method, **options)
            result = run(distiller, scene(), progress)
            assert all(term.shape == () for term in result.terms.values())
            assert_finite(result)
        assert all(isinstance(value, (int, float)) for value in distiller.counters().values())

    def test_equal_seeds_give_equal_bits(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        first, second = (build(method, **options) for _ in range(2))
        for step in range(2):
            batch = scene(seed=step)
            assert_equal(run(first, batch, seed=step), run(second, batch, seed=step))
            # What a method remembers too: on several processes every one is given the whole batch.
            remembered = second.state_dict()
            assert all(torch.equal(v, remembered[k]) for k, v in first.state_dict().items())

    def test_gradients_reach_what_trains(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        distiller, batch = build(method, **options), scene()
        for step in range(2):  # a memory is empty at the first step
            result = run(distiller, batch, seed=step)
        gradients = result.gradients
        if not weight_fields(method):  # the plain student: nothing is added to its loss
            assert result.terms == {}
            assert gradients == {}
            return
        names = {id(leaf): name for name, leaf in distiller.named_parameters()}
        expected = {names[id(leaf)] for leaf in distiller.trainable_parameters()}
        for name in {*distiller.student_taps, *expected}:
            assert gradients[name].abs().max() > 0, name
        assert set(gradients) <= {*batch.leaves(), *expected}

    def test_inputs_are_left_as_they_are(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        batch, untouched = scene(), scene()
        run(build(method, **options), batch)
        assert torch.equal(batch.labels, untouched.labels)
        for ours, theirs in (
            (batch.student, untouched.student),
            (batch.teacher, untouched.teacher),
        ):
            assert torch.equal(ours.logits, theirs.logits)
            assert all(torch.equal(maps, theirs.taps[tap]) for tap, maps in ours.taps.items())

    def test_terms_are_linear_in_their_weights(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        default = method.Config(**options)
        doubled = {name: 2 * getattr(default, name) for name in weight_fields(method)}
        once, twice = build(method, **options), build(method, **{**options, **doubled})
        for step in range(2):
            single, double = run(once, scene(), seed=step), run(twice, scene(), seed=step)
        assert single.terms.keys() == double.terms.keys()
        for name, term in single.terms.items():
            torch.testing.assert_close(2 * term, double.terms[name], rtol=1e-5, atol=0)

    def test_weight_zero_removes_the_term(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        names = weight_fields(method)
        for name in names:
            with_it, without = build(method, **options), build(method, **{**options, name: 0.0})
            for step in range(2):
                present = run(with_it, scene(), seed=step).terms
                left = run(without, scene(), seed=step).terms
            assert set(left) < set(present), name
        nothing = build(method, **{**options, **dict.fromkeys(names, 0.0)})
        assert run(nothing, scene()).terms == {}
        assert nothing.adversary() is None

    @pytest.mark.parametrize("garbage", [1e3, math.nan])
    @pytest.mark.parametrize("teacher_size", [SIZE, (6, 5), (24, 20), (9, 7)], ids=str)
    def test_nothing_under_ignored_labels_counts(
        self,
        method: type[Distiller],
        masking: dict[str, Any],
        teacher_size: tuple[int, int],
        garbage: float,
    ) -> None:
        clean, dirty = build(method, **masking), build(method, **masking)
        for step in range(3):
            batch = scattered(step, teacher_size)
            first = run(clean, batch, seed=step)
            second = run(dirty, spoiled(batch, garbage), seed=step)
            assert_equal(first, second)
            for name, leaf in batch.leaves().items():
                ignored = ignored_at(batch.labels, leaf)[:, None]
                if name in second.gradients:
                    assert not second.gradients[name].masked_select(ignored).any(), name
        terms = []
        for distiller, seen in ((clean, batch), (dirty, spoiled(batch, garbage))):
            torch.manual_seed(0)
            terms.append(distiller.adversary_losses(*seen))
        assert terms[0] == terms[1]

    def test_all_pixels_ignored(self, method: type[Distiller], masking: dict[str, Any]) -> None:
        batch = scene()._replace(labels=torch.full_like(scene().labels, 255))
        result = run(build(method, **masking), batch)
        assert_finite(result)
        assert all(term == 0 for term in result.terms.values())
        assert all(not gradient.any() for gradient in result.gradients.values())

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_half_precision_maps_are_computed_in_full(
        self, method: type[Distiller], options: dict[str, Any], dtype: torch.dtype
    ) -> None:
        half = changed(scene(), lambda maps: maps.to(dtype))
        full = changed(half, torch.Tensor.float)
        low, high = run(build(method, **options), half), run(build(method, **options), full)
        assert_finite(low)
        for name, term in low.terms.items():
            torch.testing.assert_close(term.float(), high.terms[name], rtol=1e-3, atol=1e-6)
        large = changed(scene(scale=1e4), lambda maps: maps.to(dtype))
        assert_finite(run(build(method, **options), large))

    def test_autocast_changes_little(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        batch = changed(scene(), lambda maps: maps.to(torch.bfloat16))
        plain, cast = build(method, **options), build(method, **options)
        for step in range(2):
            full = run(plain, batch, seed=step)
            with torch.autocast("cpu", torch.bfloat16):
                low = run(cast, batch, seed=step)
        assert_finite(low)
        assert low.gradients.keys() == full.gradients.keys()
        for name, term in low.terms.items():
            torch.testing.assert_close(term.float(), full.terms[name], rtol=0.05, atol=0.01)

    def test_memory_layout_changes_nothing(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        batch = scene()
        last = changed(batch, lambda maps: maps.to(memory_format=torch.channels_last))
        assert_close(
            run(build(method, **options), batch), run(build(method, **options), last), 1e-4
        )

    @pytest.mark.parametrize(
        "batch",
        [
            pytest.param(scene(count=1), id="one image"),
            pytest.param(scene(scale=1e4), id="activations of 1e4"),
            pytest.param(changed(scene(), torch.zeros_like), id="activations of 0"),
            pytest.param(scene(teacher_size=(6, 5)), id="coarser teacher"),
            pytest.param(scene(teacher_size=(24, 20)), id="finer teacher"),
            pytest.param(scene()._replace(labels=torch.zeros(2, 48, 40).long()), id="one class"),
            pytest.param(
                scene()._replace(labels=torch.full((2, 48, 40), 255)), id="all pixels ignored"
            ),
        ],
    )
    def test_hard_cases_stay_finite(
        self, method: type[Distiller], options: dict[str, Any], batch: Scene
    ) -> None:
        distiller = build(method, **options)
        for step in range(2):
            assert_finite(run(distiller, batch, seed=step))

    def test_maps_of_one_position(self, method: type[Distiller], options: dict[str, Any]) -> None:
        if "holistic_weight" in weight_fields(method):
            options = {**options, "holistic_weight": 0.0}
        assert_finite(run(build(method, **options), scene(size=(1, 1))))

    def test_state_resumes(self, method: type[Distiller], options: dict[str, Any]) -> None:
        straight, resumed = build(method, **options), build(method, **options)
        run(straight, scene(seed=1))
        file = BytesIO()
        torch.save(straight.state_dict(), file)
        file.seek(0)
        resumed.load_state_dict(torch.load(file, weights_only=True))
        assert_equal(run(straight, scene(seed=2)), run(resumed, scene(seed=2)))

    def test_discriminator_is_kept_apart(
        self, method: type[Distiller], options: dict[str, Any]
    ) -> None:
        distiller, batch = build(method, **options), scene()
        adversary = distiller.adversary()
        if adversary is None:
            assert distiller.adversary_losses(*batch) == {}
            return
        theirs = set(adversary.module.parameters())
        assert theirs.isdisjoint(distiller.trainable_parameters())
        run(distiller, batch)
        assert all(parameter.grad is None and parameter.requires_grad for parameter in theirs)
        terms = distiller.adversary_losses(*batch)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        assert all(torch.isfinite(term) for term in terms.values())
        assert all(parameter.grad is not None for parameter in theirs)
        assert all(parameter.grad is None for parameter in distiller.trainable_parameters())
