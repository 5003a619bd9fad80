"""The discriminator of SKD and IFVD: its sizes, its losses, and who learns from what."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from distiller_cases import build, make_case
from torch import Tensor, nn

from baselines.skd import SKD
from segdistill.distill import View
from segdistill.distill.adversary import AdversarialConfig, Holistic, frozen
from segdistill.distill.discriminator import Discriminator, SelfAttention

ALONE = {"pixel_weight": 0.0, "pair_weight": 0.0}


def logits(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def holistic(**options: Any) -> Holistic:
    torch.manual_seed(3)
    return Holistic(AdversarialConfig(**options), classes=4)


@pytest.mark.parametrize(
    ("size", "scores"),
    [
        ((8, 8), (1, 1)),
        ((45, 45), (1, 1)),
        ((64, 64), (1, 1)),
        ((64, 128), (1, 5)),
        ((9, 130), (1, 6)),
    ],
)
def test_any_size_from_8_runs(size: tuple[int, int], scores: tuple[int, int]) -> None:
    assert Discriminator(4)(logits(2, 4, *size)).shape == (2, 1, *scores)


@pytest.mark.parametrize("size", [(7, 8), (8, 7), (1, 1)])
def test_smaller_logits_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"at least 8x8, got .*holistic_weight=0"):
        Discriminator(4)(logits(2, 4, *size))


def test_even_sizes_see_the_published_padding() -> None:
    """At 64 x 64 the network is its layers with padding 1, written out."""
    torch.manual_seed(0)
    net = Discriminator(4).eval()
    maps = net.norm(logits(2, 4, 64, 64))
    for index, layer in enumerate(net.convolutions):
        weight, bias = layer.weight, layer.bias
        maps = F.leaky_relu(F.conv2d(maps, weight, bias, stride=2, padding=1), 0.1)  # type: ignore[arg-type]
        if index >= 2:
            maps = net.attentions[str(index)](maps)
    torch.testing.assert_close(net(logits(2, 4, 64, 64)), net.output(maps))


def test_convolutions_have_spectral_norm_1() -> None:
    net = Discriminator(4)
    for _ in range(30):
        net(logits(2, 4, 8, 8))
    for layer in net.eval().convolutions:
        matrix = layer.weight.flatten(1)  # type: ignore[operator]
        assert torch.linalg.matrix_norm(matrix, ord=2).item() == pytest.approx(1, abs=2e-2)


def test_attention_against_loops() -> None:
    torch.manual_seed(0)
    layer, maps = SelfAttention(8).double(), logits(2, 8, 2, 3).double()
    with torch.no_grad():
        layer.gain.fill_(0.7)
    query, key, value = (part(maps).flatten(2) for part in (layer.query, layer.key, layer.value))
    expected = maps.flatten(2).clone()
    for n in range(2):
        for i in range(6):
            shares = torch.softmax(
                torch.stack([query[n, :, i] @ key[n, :, j] for j in range(6)]), 0
            )
            expected[n, :, i] += 0.7 * sum(shares[j] * value[n, :, j] for j in range(6))
    torch.testing.assert_close(layer(maps).flatten(2), expected, rtol=1e-9, atol=1e-12)


def test_attention_starts_as_the_identity() -> None:
    maps = logits(2, 16, 3, 3)
    assert torch.equal(SelfAttention(16)(maps), maps)


class Linear(nn.Module):
    """A discriminator of known gradient: the mean over positions of the first class."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(2.0))

    def forward(self, maps: Tensor) -> Tensor:
        return self.slope * maps[:, :1]


@pytest.mark.parametrize("adversary", ["wgan-gp", "hinge"])
def test_losses_in_closed_form(adversary: str) -> None:
    term = holistic(adversary=adversary, discriminator_weight=0.3, gradient_penalty=5.0)
    term.discriminator = Linear()  # type: ignore[assignment]
    fake, real = logits(2, 4, 8, 8, seed=1), logits(2, 4, 8, 8, seed=2)
    labels = torch.zeros(2, 8, 8, dtype=torch.long)
    of_fake, of_real = (2 * maps[:, 0].mean(dim=(1, 2)) for maps in (fake, real))
    torch.testing.assert_close(term.loss(View(fake, {}), labels), -of_fake.mean())
    found = term.adversary_losses(View(fake, {}), View(real, {}), labels)
    if adversary == "wgan-gp":
        # The gradient of one image is 2/64 at 64 positions: its length is 2/8.
        expected = {
            "discriminator": 0.3 * (of_fake - of_real).mean(),
            "gradient_penalty": 0.3 * 5.0 * torch.tensor((2 / 8 - 1) ** 2),
        }
    else:
        hinges = F.relu(1 + of_fake) + F.relu(1 - of_real)
        expected = {"discriminator": 0.3 * hinges.mean()}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name].detach(), value)


def test_masked_images_leave_the_means() -> None:
    term = holistic(ignore="mask", adversary="hinge")
    term.discriminator = Linear()  # type: ignore[assignment]
    fake, labels = logits(2, 4, 8, 8), torch.zeros(2, 8, 8, dtype=torch.long)
    labels[1] = 255
    torch.testing.assert_close(term.loss(View(fake, {}), labels), -2 * fake[0, 0].mean())


def test_the_adversary_learns_to_tell_the_maps_apart() -> None:
    term = holistic(adversary="hinge", discriminator_weight=1.0)
    student, teacher = View(logits(4, 4, 8, 8), {}), View(2 * logits(4, 4, 8, 8, seed=1), {})
    labels = torch.zeros(4, 8, 8, dtype=torch.long)
    adversary = term.adversary()
    optimizer = torch.optim.Adam(adversary.module.parameters(), lr=adversary.learning_rate)
    losses = []
    for _ in range(15):
        loss = term.adversary_losses(student, teacher, labels)["discriminator"]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_student_s_loss_leaves_the_adversary_alone() -> None:
    case = make_case(size=(9, 8))
    method = build("skd", case, **ALONE)
    assert isinstance(method, SKD)
    case.terms(method)["holistic"].backward()  # type: ignore[no-untyped-call]
    adversary = method.adversary()
    assert adversary is not None
    assert all(p.grad is None and p.requires_grad for p in adversary.module.parameters())
    assert case.student.logits.grad is not None
    assert case.student.logits.grad.abs().max() > 0
    assert list(method.trainable_parameters()) == []


def test_frozen_restores_what_was_frozen_before() -> None:
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    flags = []
    with frozen(layer):
        flags += [parameter.requires_grad for parameter in layer.parameters()]
    flags += [parameter.requires_grad for parameter in layer.parameters()]
    assert flags == [False, False, True, False]


def test_conditional_needs_the_image() -> None:
    term, labels = holistic(conditional=True), torch.zeros(2, 32, 32, dtype=torch.long)
    maps, images = logits(2, 4, 8, 8), logits(2, 3, 32, 32)
    with pytest.raises(ValueError, match="needs the image"):
        term.loss(View(maps, {}), labels)
    first = term.loss(View(maps, {}, images), labels)
    assert not torch.isclose(first, term.loss(View(maps, {}, -images), labels))


def test_other_adversaries_are_refused() -> None:
    with pytest.raises(ValueError, match="'wgan-gp' or 'hinge'"):
        holistic(adversary="gan")


@pytest.mark.parametrize("adversary", ["wgan-gp", "hinge"])
def test_nothing_under_ignored_labels_counts(adversary: str) -> None:
    labels = torch.zeros(2, 8, 8, dtype=torch.long)
    labels[:, :3], labels[1, :, 5] = 255, 255
    ignored = (labels == 255)[:, None]
    found = []
    for filling in (0.0, torch.nan):
        term = holistic(ignore="mask", adversary=adversary, conditional=True)
        own = logits(2, 4, 8, 8).masked_fill(ignored, filling).requires_grad_()
        other = logits(2, 4, 8, 8, seed=1).masked_fill(ignored, filling)
        image = logits(2, 3, 8, 8, seed=2).masked_fill(ignored, filling)
        loss = term.loss(View(own, {}, image), labels)
        (gradient,) = torch.autograd.grad(loss, own)
        torch.manual_seed(1)
        losses = term.adversary_losses(View(own, {}, image), View(other, {}, image), labels)
        parameters = list(term.parameters())
        total = torch.stack(list(losses.values())).sum()
        found.append([loss, gradient, *torch.autograd.grad(total, parameters)])
        assert not gradient.masked_select(ignored).any()
    for clean, spoilt in zip(*found, strict=True):
        assert torch.equal(clean, spoilt)


@pytest.mark.parametrize("adversary", ["wgan-gp", "hinge"])
def test_all_pixels_ignored_cost_nothing(adversary: str) -> None:
    term, labels = holistic(ignore="mask", adversary=adversary), torch.full((2, 8, 8), 255)
    own = logits(2, 4, 8, 8).requires_grad_()
    loss = term.loss(View(own, {}), labels)
    losses = term.adversary_losses(View(own, {}), View(own.detach() + 1, {}), labels)
    assert loss == 0
    assert all(value == 0 for value in losses.values())
    total = torch.stack([loss, *losses.values()]).sum()
    for gradient in torch.autograd.grad(total, [own, *term.parameters()]):
        assert not gradient.any()
