"""The drawing surface of the scenes: an image and its label map, painted back to front.

Bits must not depend on the machine, so shapes come from integer arithmetic (OpenCV's fillPoly,
integer ellipses), draws from uniform doubles alone, and no edge is anti-aliased.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import IGNORE, Colour

T = TypeVar("T")
Point = tuple[float, float]
Pixels = NDArray[np.int16]  # H W 3, RGB, room for sums before clipping to 0..255
VOID = "void"


class Dice:
    """Random choices, all made from uniform doubles, whose stream NumPy keeps stable."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def between(self, low: float, high: float) -> float:
        """A uniform number in [low, high)."""
        return low + (high - low) * float(self._generator.random())

    def whole(self, low: int, high: int) -> int:
        """A whole number in low..high, both included."""
        return low + int(self._generator.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return bool(self._generator.random() < probability)

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[int(self._generator.random() * len(items))]

    def field(self, height: int, width: int) -> NDArray[np.float64]:
        """H W uniform numbers in [0, 1)."""
        return self._generator.random((height, width))

    def colour(self, low: int, high: int, chroma: int = 0, tint: Colour = (0, 0, 0)) -> Colour:
        """A grey of low..high, each channel off by up to `chroma`, plus `tint`."""
        grey = self.whole(low, high)
        red, green, blue = (grey + self.whole(-chroma, chroma) + shift for shift in tint)
        return red, green, blue


Surface = Callable[[Dice, int, int], Pixels]


class Canvas:
    """An image (H W 3) and a label map (H W, train ids, 255 where nothing was painted)."""

    def __init__(self, height: int, width: int, dice: Dice, parts: Mapping[str, int]) -> None:
        self.height = height
        self.width = width
        self.dice = dice
        self.parts = {**parts, VOID: IGNORE}  # what is drawn -> train id
        self.image: Pixels = np.zeros((height, width, 3), np.int16)
        self.label: NDArray[np.uint8] = np.full((height, width), IGNORE, np.uint8)

    def polygon(self, points: Sequence[Point], part: str, surface: Surface | None) -> None:
        """Fill a polygon of (x, y) pixel corners; without `surface` only its label changes."""
        corners = np.array([(round(x), round(y)) for x, y in points], np.int32)
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0) + 1
        box = self._clip(left, top, right, bottom)
        if box is None:
            return
        mask = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        cv2.fillPoly(mask, [corners - np.array(box[:2], np.int32)], 1, lineType=cv2.LINE_8)
        self._fill(box, mask.astype(bool), part, surface)

    def ellipse(
        self, centre: Point, radii: Point, part: str, surface: Surface | None, hole: float = 0.0
    ) -> None:
        """Fill an ellipse, or a ring that leaves the inner fraction `hole` of its radii free."""
        x, y = round(centre[0]), round(centre[1])
        rx, ry = max(0, round(radii[0])), max(0, round(radii[1]))
        box = self._clip(x - rx, y - ry, x + rx + 1, y + ry + 1)
        if box is None:
            return
        columns = np.arange(box[0], box[2], dtype=np.int64) - x
        rows = np.arange(box[1], box[3], dtype=np.int64)[:, None] - y

        def within(a: int, b: int) -> NDArray[np.bool_]:
            # (2r + 1)^2 in place of (2r)^2 rounds small discs well.
            a, b = (2 * a + 1) ** 2, (2 * b + 1) ** 2
            return 4 * (columns * columns * b + rows * rows * a) <= a * b

        mask = within(rx, ry)
        if hole:
            mask &= ~within(round(rx * hole), round(ry * hole))
        self._fill(box, mask, part, surface)

    def _clip(self, left: int, top: int, right: int, bottom: int) -> tuple[int, ...] | None:
        box = max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
        return tuple(map(int, box)) if box[0] < box[2] and box[1] < box[3] else None

    def _fill(
        self, box: tuple[int, ...], mask: NDArray[np.bool_], part: str, surface: Surface | None
    ) -> None:
        area = slice(box[1], box[3]), slice(box[0], box[2])
        self.label[area][mask] = self.parts[part]
        if surface is not None:
            pixels = surface(self.dice, *mask.shape)
            self.image[area][mask] = pixels[mask]


@dataclass(frozen=True)
class Pen:
    """Draws one object in its own units: x to the right of its foot, y up from it."""

    canvas: Canvas
    part: str
    foot: Point  # pixel that (0, 0) falls on
    scale: float  # pixels a unit
    mirrored: bool = False

    def named(self, part: str) -> "Pen":
        """The same pen for another part of the object."""
        return replace(self, part=part)

    def at(self, x: float, y: float) -> Point:
        """The pixel of (x, y)."""
        return self.foot[0] + self.scale * (-x if self.mirrored else x), self.foot[1] - (
            self.scale * y
        )

    def polygon(self, points: Sequence[Point], surface: Surface | None) -> None:
        """Fill the polygon with the given corners."""
        self.canvas.polygon([self.at(x, y) for x, y in points], self.part, surface)

    def box(self, x: float, y: float, width: float, height: float, surface: Surface) -> None:
        """Fill a rectangle whose lower left corner is (x, y)."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self.polygon(corners, surface)

    def disc(
        self, x: float, y: float, rx: float, ry: float, surface: Surface | None, hole: float = 0.0
    ) -> None:
        """Fill an ellipse around (x, y), or a ring."""
        radii = rx * self.scale, ry * self.scale
        self.canvas.ellipse(self.at(x, y), radii, self.part, surface, hole)

    def bar(self, start: Point, end: Point, thickness: float, surface: Surface) -> None:
        """Fill a bar, at least one pixel thick."""
        half = thickness / 2
        across = abs(end[0] - start[0]) > abs(end[1] - start[1])
        dx, dy = (0.0, half) if across else (half, 0.0)
        corners = [
            (start[0] - dx, start[1] - dy),
            (end[0] - dx, end[1] - dy),
            (end[0] + dx, end[1] + dy),
            (start[0] + dx, start[1] + dy),
        ]
        self.polygon(corners, surface)
