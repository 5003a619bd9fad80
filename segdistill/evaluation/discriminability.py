"""How well a network's features tell the classes apart: Fisher's ratio of their scatter."""

import numpy as np
import torch
from torch import Tensor

from segdistill.distill.regions import downsample_labels, one_hot
from segdistill.evaluation.iou import Bytes


class ClassScatter:
    """Sums over the pixels of a split from which Fisher's ratio follows, in float64.

    Nothing is kept per image: counts n_k (K,), sums of features per class (K, C), and the sum of
    their squares. Features stand on their own grid; the labels are brought there by the nearest
    pixel, and ignored ones (255) belong to no class.
    """

    def __init__(self, classes: int) -> None:
        self._counts = torch.zeros(classes, dtype=torch.float64)
        self._sums = torch.zeros(classes, 0, dtype=torch.float64)
        self._squares = torch.zeros((), dtype=torch.float64)

    def add(self, features: Tensor, label: Bytes) -> None:
        """Count one image: `features` (1 C h w) and its `label` (H W uint8, 255 = ignore)."""
        classes, channels = len(self._counts), features.shape[1]
        if not self._sums.numel():
            self._counts, self._squares = (
                part.to(features.device) for part in (self._counts, self._squares)
            )
            self._sums = self._counts.new_zeros(classes, channels)
        labels = torch.from_numpy(label.astype(np.int64))[None].to(features.device)
        grid = downsample_labels(labels, features.shape[-2:])
        member = one_hot(grid, classes, torch.float64)[0].flatten(1)  # K, h w
        rows = features[0].flatten(1).double().T  # h w, C
        self._counts += member.sum(dim=1)
        self._sums += member @ rows
        self._squares += (member.sum(dim=0) * rows.square().sum(dim=1)).sum()

    def ratio(self) -> float | None:
        """B / W, the features' variance between classes over that within them.

        B = sum_k n_k |m_k - m|^2 / n and W = sum_k sum_{i in k} |x_i - m_k|^2 / n, with the mean
        m_k of class k and m of all n pixels: traces of the scatter matrices of Fisher's linear
        discriminant (Fukunaga, Introduction to Statistical Pattern Recognition, 1990, section
        10.2). Free of the features' offset, scale and rotation. None with fewer than two classes
        or without any scatter.
        """
        present = self._counts > 0
        counts = self._counts[present][:, None]
        if len(counts) < 2:
            return None
        means = self._sums[present] / counts
        mean = (counts * means).sum(dim=0) / counts.sum()
        between = float((counts * (means - mean).square()).sum())
        within = float(self._squares - (counts * means.square()).sum())
        tiny = torch.finfo(torch.float64).eps * float(self._squares)
        # Rounding leaves a within-class scatter that is 0 in truth on either side of 0.
        return between / within if within > counts.sum().item() * tiny else None
