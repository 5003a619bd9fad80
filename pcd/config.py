"""The options of PCD (reconstructed from the abstract), each a free choice the abstract leaves."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pcd.divergence import Divergence
from pcd.matching import Matching
from pcd.responses import Score
from segdistill.distill import Distiller

Response = Literal["activation", "classifier"]
Window = Literal["running", "batch"]
Ignore = Literal["mask", "keep"]
CHOICES = {
    "score": get_args(Score),
    "response": get_args(Response),
    "responses": get_args(Window),
    "matching": get_args(Matching),
    "divergence": get_args(Divergence),
    "ignore": get_args(Ignore),
}


@dataclass(frozen=True)
class PCDConfig(Distiller.Config):
    """Options of PCD (reconstructed from the abstract); a wrong value raises ValueError."""

    weight: float = 50.0
    temperature: float = 4.0  # of the softmax over positions, for `kl`
    score: Score = "pairwise"  # `random` and `none` (keep every channel) are controls
    response: Response = "activation"
    responses: Window = "running"  # over every batch so far, or over this batch alone
    min_pixels: int = 50  # a class with fewer pixels in the window has no response
    keep: Literal["student"] | float = "student"  # min(C_s, C_t) channels, or a ratio of C_t
    matching: Matching = "assignment"  # `index` is a control
    rematch_every: int = 1  # steps
    divergence: Divergence = "kl"
    ignore: Ignore = "mask"  # whether pixels of label 255 leave standardisation and loss
    tap: str = "head.embedding"

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            self._require(field, getattr(self, field) in allowed, f"one of {', '.join(allowed)}")
        self._require("weight", self.weight >= 0, "a number >= 0")
        self._require("temperature", self.temperature > 0, "a number > 0")
        self._require("min_pixels", self.min_pixels >= 1, "a whole number >= 1")
        self._require("rematch_every", self.rematch_every >= 1, "a whole number >= 1")
        ratio: Any = 1.0 if self.keep == "student" else self.keep
        fits = not isinstance(ratio, str) and 0 < ratio <= 1
        self._require("keep", fits, "'student' or a ratio in (0, 1]")

    def _require(self, field: str, fulfilled: bool, wanted: str) -> None:
        if not fulfilled:
            raise ValueError(f"{field} must be {wanted}, got {getattr(self, field)!r}")
