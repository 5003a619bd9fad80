"""Class responses, scores and matchings of PCD (reconstructed from the abstract), by hand."""

import math

import pytest
import torch

from pcd.maps import centre, standardise
from pcd.matching import match, similarity
from pcd.responses import Responses, class_responses, discriminative_score, keep_best
from pcd.sums import class_sums

# Two channels over four pixels: the first tells class 0 from class 1, the second is dead.
TEACHER = torch.tensor([[1.0, 1.0, 3.0, 3.0], [5.0, 5.0, 5.0, 5.0]]).double().view(1, 2, 2, 2)
LABELS = torch.tensor([[[0, 0], [1, 1]]])


def responses(values: list[float], pixels: list[float], variance: float = 0.0) -> Responses:
    """One channel that responds with `values` to classes of `pixels` pixels."""
    column = torch.tensor(values, dtype=torch.float64)[:, None]
    counts = torch.tensor(pixels, dtype=torch.float64)
    return Responses(counts, column, column, torch.full_like(column, variance))


@pytest.mark.parametrize(
    ("score", "expected"),
    [("pairwise", (1 + 4 + 3) / 3), ("margin", 3.0), ("range", 4.0)],
)
def test_scores_of_three_responses(score: str, expected: float) -> None:
    result = discriminative_score(responses([1.0, 4.0, 0.0], [5, 5, 5]), score)
    assert result.tolist() == pytest.approx([expected], rel=1e-15)


def test_fisher_weighs_classes_by_their_pixels() -> None:
    # Mean (3 x 0 + 1 x 4) / 4 = 1, between (3 x 1 + 1 x 9) / 4 = 3, within 0.5.
    result = discriminative_score(responses([0.0, 4.0], [3, 1], variance=0.5), "fisher")
    assert result.item() == pytest.approx(3 / (0.5 + 1e-6), rel=1e-14)


def test_a_control_is_no_function_of_responses() -> None:
    with pytest.raises(ValueError, match="random"):
        discriminative_score(responses([0.0, 1.0], [1, 1]), "random")


def test_responses_of_a_perfect_and_of_a_dead_channel() -> None:
    sums = class_sums(centre(TEACHER, None), LABELS, classes=3)
    found = class_responses(sums, min_pixels=2, classifier=None)
    assert found.pixels.tolist() == [2, 2]
    assert found.response.tolist() == [[-1, 0], [1, 0]]
    assert found.variance.tolist() == [[0, 0], [0, 0]]


def test_classifier_responses_are_weighted_deviations_from_the_mean() -> None:
    sums = class_sums(centre(TEACHER, None), LABELS, classes=3)
    weights = torch.tensor([[2.0, 1.0], [-1.0, 1.0], [0.0, 3.0]]).double()
    found = class_responses(sums, min_pixels=1, classifier=weights)
    rms = math.sqrt((4 + 1 + 1 + 1 + 0 + 9) / 6)
    assert found.response[:, 0].tolist() == pytest.approx([2 * -1 / rms, -1 * 1 / rms])
    assert found.response[:, 1].tolist() == [0, 0]


def test_ignored_pixels_enter_no_class_and_under_keep_the_standardisation() -> None:
    labels = torch.tensor([[[0, 255], [1, 1]]])
    masked = class_sums(centre(TEACHER, labels != 255), labels, classes=2)
    kept = class_sums(centre(TEACHER, None), labels.clamp(max=2), classes=2)
    assert masked.pixels.tolist() == [1, 2, 0]
    assert kept.pixels.tolist() == [1, 2, 1]
    inside = class_responses(masked, 1, None).response[:, 0].tolist()
    everywhere = class_responses(kept, 1, None).response[:, 0].tolist()
    assert inside == pytest.approx([-math.sqrt(2), math.sqrt(0.5)])  # mean 7/3, std sqrt(8)/3
    assert everywhere == pytest.approx([-1, 1])


def test_standardised_maps_have_mean_0_and_std_1_over_valid_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = 4 + 3 * torch.randn(2, 3, 5, 5, generator=generator, dtype=torch.float64)
    valid = torch.rand(2, 5, 5, generator=generator) > 0.3
    z = standardise(maps, valid)
    inside = z.movedim(1, 0)[:, valid]
    torch.testing.assert_close(inside.mean(dim=1), torch.zeros(3).double())
    torch.testing.assert_close(inside.std(dim=1, correction=0), torch.ones(3).double())
    assert not z.movedim(1, 0)[:, ~valid].any()


def test_ties_keep_the_lower_channel() -> None:
    assert keep_best(torch.tensor([1.0, 2.0, 1.0, 2.0, 1.0]), 4).tolist() == [1, 3, 0, 2]


def test_similarity_is_the_cosine_with_its_sign_and_0_for_a_dead_channel() -> None:
    student = torch.cat([-2 * TEACHER[:, :1] + 7, TEACHER[:, 1:]], dim=1)
    cosines = similarity(centre(student, None), centre(TEACHER, None), torch.tensor([1, 0]))
    torch.testing.assert_close(cosines, torch.tensor([[0.0, -1.0], [0.0, 0.0]]).double())


def test_the_three_matchings() -> None:
    cosines = torch.tensor([[0.9, 0.8], [0.8, 0.1], [0.2, 0.2]])
    assert match(cosines, "assignment").tolist() == [1, 0, -1]
    assert match(cosines, "nearest").tolist() == [0, 0, 0]
    assert match(cosines, "index").tolist() == [0, 1, -1]
    assert match(cosines.T, "assignment").tolist() == [1, 0]
    assert match(cosines.T, "index").tolist() == [0, 1]


def test_a_diverged_student_is_no_error_of_the_solver() -> None:
    cosines = torch.tensor([[float("nan"), 0.1], [0.8, 0.1]])
    assert sorted(match(cosines, "assignment").tolist()) == [0, 1]
