"""The camera of a drawn street: metres on the ground to pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from segdistill.data.scenes_canvas import Canvas, Pen, Point

SIDES = (-1, 1)  # left and right of the road's middle


@dataclass(frozen=True)
class Street:
    """The camera and the cross-section of one street; lengths in metres."""

    canvas: Canvas
    vanishing: Point  # pixel of the vanishing point
    camera: float  # height over the ground
    road: float  # half its width
    walk: float  # outer edge of the sidewalks
    verge: float  # outer edge of the grass, where facades begin

    def scale(self, depth: float) -> float:
        """Pixels a metre where the ground is `depth` of the way from horizon to lower edge."""
        return depth * (self.canvas.height - self.vanishing[1]) / self.camera

    def ground(self, x: float, depth: float, up: float = 0.0) -> Point:
        """The pixel `up` metres above the ground, `x` metres right of the road's middle."""
        scale = self.scale(depth)
        return self.vanishing[0] + x * scale, self.vanishing[1] + (self.camera - up) * scale

    def pen(self, part: str, x: float, depth: float) -> Pen:
        """A pen in metres for something that stands at (x, depth)."""
        mirrored = self.canvas.dice.chance(0.5)
        return Pen(self.canvas, part, self.ground(x, depth), self.scale(depth), mirrored)


class Item(NamedTuple):
    """Something to draw; smaller depths are further away and are drawn first."""

    depth: float
    draw: Callable[[], None]
