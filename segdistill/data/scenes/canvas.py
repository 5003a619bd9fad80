"""Dice and the canvas of a scene: an image and its label map, painted back to front.

Bits must not depend on the machine: draws are uniform doubles alone, whose stream NumPy keeps
stable, and pixels follow from them by NumPy's sums, products, quotients and comparisons.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import IGNORE, Colour

T = TypeVar("T")
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shape = Callable[[Floats, Floats], Mask]  # columns 1 W in -1..1, rows H 1 from 0 (foot) to 1
Texture = Callable[["Dice", int, int], Floats]  # H W grey levels around 0

_BORROWED = 0.05  # share of things in a colour that says nothing
_SPREAD = 26  # grey levels that a channel is off by


class Dice:
    """Random choices, all of them made from uniform doubles."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def between(self, low: float, high: float) -> float:
        """A uniform number in [low, high)."""
        return low + (high - low) * float(self._generator.random())

    def whole(self, low: int, high: int) -> int:
        """A whole number in low..high, both included."""
        return low + int(self._generator.random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[self.whole(0, len(items) - 1)]

    def field(self, *shape: int) -> Floats:
        """Uniform numbers in [-1, 1)."""
        return 2 * self._generator.random(shape) - 1


class Look(NamedTuple):
    """How a class is drawn; classes share shapes, textures and colours, but not all three."""

    shape: Shape
    width: float  # in the unit of its set's table
    height: float
    colour: Colour
    texture: Texture


class Canvas:
    """An image (H W 3, grey levels) and a label map (H W, train ids, 255 = ignore)."""

    def __init__(self, height: int, width: int, dice: Dice) -> None:
        self.height = height
        self.width = width
        self.dice = dice
        self.image: Floats = np.zeros((height, width, 3))
        self.label: NDArray[np.uint8] = np.full((height, width), IGNORE, np.uint8)

    def paint(self, look: Look, label: int, x: float, foot: float, scale: float) -> None:
        """Paint `look` standing on row `foot` around column `x`, `scale` pixels a unit."""
        width = max(1, round(look.width * scale))
        height = max(1, round(look.height * scale))
        left, top = round(x - width / 2), round(foot) - height
        x0, x1 = (min(max(edge, 0), self.width) for edge in (left, left + width))
        y0, y1 = (min(max(edge, 0), self.height) for edge in (top, top + height))
        across = (2 * np.arange(x0 - left, x1 - left) + 1 - width) / width
        up = 1 - (2 * np.arange(y0 - top, y1 - top) + 1) / (2 * height)
        mask = look.shape(across[None, :], up[:, None])
        colour = np.array(look.colour) * self.dice.between(0.8, 1.15) + _SPREAD * self.dice.field(3)
        if self.dice.between(0, 1) < _BORROWED:
            colour = 128 + 100 * self.dice.field(3)
        pixels = colour + look.texture(self.dice, *mask.shape)[..., None]
        np.copyto(self.image[y0:y1, x0:x1], pixels, where=mask[..., None])
        self.label[y0:y1, x0:x1][mask] = label

    def photograph(self, noise: float) -> NDArray[np.uint8]:
        """The image under slanting light and a colour cast, with `noise` levels of noise."""
        dice, slope = self.dice, 0.4 * self.dice.field(2)
        across = np.arange(self.width)[None, :, None] / self.width - 0.5
        down = np.arange(self.height)[:, None, None] / self.height - 0.5
        light = dice.between(0.8, 1.15) + across * slope[0] + down * slope[1]
        lit = self.image * light * (1 + 0.06 * dice.field(3))
        pixels = lit + noise * dice.field(*self.image.shape)
        clipped: NDArray[np.uint8] = np.clip(pixels, 0, 255).astype(np.uint8)
        return clipped
