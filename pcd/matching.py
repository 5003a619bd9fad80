"""Process 2 of PCD (reconstructed from the abstract): which kept channel a student channel learns.

Nothing here carries a gradient.
"""

from typing import Literal

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from pcd.maps import Centred

Matching = Literal["assignment", "nearest", "index"]
UNMATCHED = -1


def similarity(student: Centred, teacher: Centred, kept: Tensor) -> Tensor:
    """Cosine (C_s M) of every student map with every kept teacher map (`kept`: M numbers) over P.

    0 for a dead channel.
    """
    products = student.mean.new_zeros(len(student.mean), len(kept))
    for own, other in zip(student.maps.flatten(2), teacher.maps.flatten(2), strict=True):
        products.addmm_(own, other.index_select(0, kept).T)
    return products * student.scale[:, None] * teacher.scale[kept] / student.pixels


def match(cosines: Tensor, matching: Matching) -> Tensor:
    """For each row of `cosines` (C_s M) the column it is paired with, or -1: C_s, int64.

    `assignment` pairs one to one with maximal total, `nearest` takes each row's largest (the
    first of equals), `index` pairs in order.
    """
    if matching == "nearest":
        return cosines.argmax(dim=1)
    columns = torch.full((cosines.shape[0],), UNMATCHED, dtype=torch.int64)
    if matching == "index":
        pairs = min(cosines.shape)
        columns[:pairs] = torch.arange(pairs)
    else:
        # A student that diverged must show in its loss, not as an error of the solver.
        finite = torch.nan_to_num(cosines.double()).cpu().numpy()
        row, column = linear_sum_assignment(finite, maximize=True)
        columns[torch.from_numpy(row)] = torch.from_numpy(column)
    return columns.to(cosines.device)
