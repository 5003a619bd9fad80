"""Shapes of drawn things, as conditions on a place in their bounding box.

`x` runs from -1 to 1 across the box and `y` from 0 at its foot to 1 at its top.
"""

from functools import reduce

import numpy as np

from segdistill.data.scenes.canvas import Floats, Mask, Shape


def box(left: float = -1, right: float = 1, foot: float = 0, top: float = 1) -> Shape:
    """A rectangle; without arguments the whole of the bounding box."""
    return lambda x, y: (x >= left) & (x <= right) & (y >= foot) & (y <= top)


def disc(x: float, y: float, rx: float, ry: float, hole: float = 0) -> Shape:
    """An ellipse, or a ring that leaves the inner share `hole` of its radii free."""

    def shape(across: Floats, up: Floats) -> Mask:
        a, b = (across - x) / rx, (up - y) / ry
        square = a * a + b * b
        return (square <= 1) & (square >= hole * hole)

    return shape


def taper(wide: float, narrow: float, foot: float = 0, top: float = 1, x: float = 0) -> Shape:
    """A trapezoid around `x` that reaches `wide` to both sides at its foot, `narrow` at its top."""
    return lambda across, up: (
        (up >= foot)
        & (up <= top)
        & (np.abs(across - x) <= wide + (narrow - wide) * (up - foot) / (top - foot))
    )


def union(*shapes: Shape) -> Shape:
    """All of `shapes` together."""
    return lambda x, y: reduce(np.logical_or, (shape(x, y) for shape in shapes))


BOX = box()
DISC = disc(0, 0.5, 1, 0.5)
TRIANGLE = taper(1, 0)
TREE = union(box(-0.15, 0.15, 0, 0.4), disc(-0.35, 0.55, 0.6, 0.3), disc(0.3, 0.7, 0.7, 0.3))
PERSON = union(disc(0, 0.88, 0.45, 0.12), taper(0.6, 0.9, 0.35, 0.76), taper(0.8, 0.5, 0, 0.4))
_WHEELS = union(disc(-0.65, 0.12, 0.18, 0.12), disc(0.65, 0.12, 0.18, 0.12))
CAR = union(box(-1, 1, 0.12, 0.6), taper(0.75, 0.45, 0.6, 1), _WHEELS)
VAN = union(box(-1, 1, 0.1, 1), _WHEELS)
LORRY = union(box(-1, 0.5, 0.1, 1), box(0.55, 1, 0.1, 0.7), _WHEELS)
TRAM = union(box(-1, 1, 0.05, 0.8), taper(0.5, 0.1, 0.8, 1))
BICYCLE = union(disc(-0.6, 0.3, 0.4, 0.3, 0.6), disc(0.6, 0.3, 0.4, 0.3, 0.6), box(0.3, 0.4, 0.3),
                taper(0.6, 0.2, 0.3, 0.6), box(-0.3, -0.2, 0.3, 0.9))  # fmt: skip
MOTORBIKE = union(disc(-0.6, 0.3, 0.4, 0.3), disc(0.6, 0.3, 0.4, 0.3), box(0.35, 0.5, 0.3),
                  box(-0.7, 0.5, 0.3, 0.75))  # fmt: skip
BEAST = union(disc(-0.1, 0.55, 0.7, 0.22), disc(0.7, 0.8, 0.3, 0.2), box(0.3, 0.8, 0.5, 0.75),
              *(box(x, x + 0.15, 0, 0.5) for x in (-0.7, -0.4, 0.1, 0.4)))  # fmt: skip
BIRD = union(disc(0, 0.4, 0.7, 0.2), disc(0.7, 0.6, 0.25, 0.18), taper(0.35, 0.1, 0.4, 1, -0.2))
PLANE = union(disc(0, 0.5, 1, 0.18), taper(0.1, 0.35, 0, 0.5), taper(0.1, 0.2, 0.5, 1, -0.8))
BOAT = union(taper(0.7, 1, 0, 0.3), box(-0.05, 0.05, 0.3, 1), taper(0.7, 0.05, 0.4, 0.95))
BOTTLE = union(box(-1, 1, 0, 0.6), taper(1, 0.35, 0.6, 0.75), box(-0.35, 0.35, 0.7, 1))
CHAIR = union(box(-1, -0.7, 0, 1), box(-1, 1, 0.4, 0.52), box(0.7, 1, 0, 0.5))
SOFA = union(box(-0.8, 0.8, 0.1), box(-1, -0.7, 0, 0.65), box(0.7, 1, 0, 0.65))
TABLE = union(taper(1, 0.75, 0.65, 1), box(-0.85, -0.7, 0, 0.7), box(0.7, 0.85, 0, 0.7))
PLANT = union(taper(0.35, 0.5, 0, 0.4), disc(-0.4, 0.6, 0.6, 0.25), disc(0.3, 0.75, 0.7, 0.25))
SCREEN = union(box(-1, 1, 0.25, 1), box(-0.1, 0.1, 0, 0.3), box(-0.5, 0.5, 0, 0.06))
