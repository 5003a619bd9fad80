"""What stands beside a drawn street: buildings, walls, fences, trees, signs and lights."""

from typing import Protocol

from harness.data.scenes_canvas import Canvas, Pen, Point
from harness.data.scenes_colours import likely
from harness.data.scenes_surfaces import blotched, grid, panes, plain, shaded

SIDES = (-1, 1)
_RED, _BLUE = (185, 50, 45), (50, 85, 175)


class Perspective(Protocol):
    """What the roadside needs to know of its street."""

    @property
    def canvas(self) -> Canvas:
        """Where to draw."""

    @property
    def verge(self) -> float:
        """Metres from the road's middle to the facades."""

    def scale(self, depth: float) -> float:
        """Pixels a metre at `depth`."""

    def ground(self, x: float, depth: float, up: float = 0.0) -> Point:
        """The pixel of a point in space."""


def draw_side(street: Perspective, side: int, far: float, near: float) -> None:
    """Fill one stretch of the roadside, `side` -1 or 1, with one of its kinds."""
    dice = street.canvas.dice
    kind = dice.pick(
        (_building, _building, _building, _trees, _trees, _wall, _wall, _fence, _fence)
    )
    kind(street, side * street.verge, far, near)
    if dice.chance(0.2):
        _tree(street, side * (street.verge - 0.6), far)


def _facade(street: Perspective, x: float, far: float, near: float, height: float) -> list[Point]:
    """Corners of an upright plane along the street."""
    return [street.ground(x, far), street.ground(x, near),
            street.ground(x, near, height), street.ground(x, far, height)]  # fmt: skip


def _building(street: Perspective, x: float, far: float, near: float) -> None:
    dice, scale = street.canvas.dice, street.scale(near)
    height = dice.between(5.0, 14.0)
    wall = dice.colour(65, 190, 20, (4, 0, -4))
    cell = max(4, round(dice.between(1.4, 2.4) * scale * 0.6))
    surface = panes(wall, dice.colour(30, 140, 10), (cell + 1, cell))
    street.canvas.polygon(_facade(street, x, far, near, height), "building", surface)
    # The end that faces the camera closes the block.
    left, bottom = street.ground(x, far)
    right = street.ground(x * 6, far)[0]
    top = street.ground(x, far, height)[1]
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    street.canvas.polygon(corners, "building", surface)


def _wall(street: Perspective, x: float, far: float, near: float) -> None:
    dice = street.canvas.dice
    colour = likely(dice, "wall")
    cell = dice.whole(2, 4)
    surface = grid(colour, dice.pick((-30, 30)), (cell, 3 * cell), bond=True)
    street.canvas.polygon(_facade(street, x, far, near, dice.between(2.4, 4.4)), "wall", surface)


def _fence(street: Perspective, x: float, far: float, near: float) -> None:
    """Bars through which the background shows; the whole stretch is labelled."""
    dice, canvas = street.canvas.dice, street.canvas
    if dice.chance(0.6):
        _trees(street, x * 1.3, far, near)
    height = dice.between(1.8, 3.2)
    corners = _facade(street, x, far, near, height)
    canvas.polygon(corners, "fence", None)
    steel = plain(likely(dice, "fence"))
    posts = dice.whole(10, 16)
    for post in range(posts + 1):
        depth = far + (near - far) * post / posts
        foot, head = street.ground(x, depth), street.ground(x, depth, height)
        thick = max(1.0, 0.14 * street.scale(depth))
        canvas.polygon([foot, (foot[0] + thick - 1, foot[1]), (head[0] + thick - 1, head[1]), head],
                       "fence", steel)  # fmt: skip
    for up in (0.3 * height, 0.95 * height):
        rail = _facade(street, x, far, near, up)[2:]
        canvas.polygon([*rail, *((px, py + 1) for px, py in reversed(rail))], "fence", steel)


def _trees(street: Perspective, x: float, far: float, near: float) -> None:
    for depth in (far, (far + near) / 2):
        _tree(street, x * street.canvas.dice.between(0.95, 1.3), depth)


def _tree(street: Perspective, x: float, depth: float) -> None:
    dice, canvas = street.canvas.dice, street.canvas
    scale, height = street.scale(depth), dice.between(3.0, 8.0)
    pen = Pen(canvas, "vegetation", street.ground(x, depth), scale)
    pen.bar((0.0, 0.0), (0.0, height * 0.6), 0.35, plain(dice.colour(45, 110, 8, (12, 0, -12))))
    leaves = blotched(dice.colour(55, 130, 15, (-5, 15, -22)), dice.whole(22, 36), dice.whole(2, 3))
    for _ in range(dice.whole(4, 7)):
        centre = dice.between(-1.2, 1.2), height * dice.between(0.5, 1.0)
        pen.disc(*centre, dice.between(0.8, 1.6), dice.between(0.7, 1.4), leaves)
    if dice.chance(0.5):
        pen.disc(0.0, 0.5, dice.between(0.8, 1.8), 0.8, leaves)


def sign(pen: Pen) -> None:
    """One or two traffic signs on a pole: a rim around a plate of any colour."""
    dice, board = pen.canvas.dice, pen.named("traffic sign")
    rim, plate = plain(dice.pick((_RED, _RED, _BLUE))), plain(dice.colour(90, 220, 60))
    form = dice.pick(("disc", "board", "triangle"))
    if form == "disc":
        board.disc(0.0, 2.7, 0.6, 0.6, rim)
        board.disc(0.0, 2.7, 0.38, 0.38, plate)
    elif form == "board":
        board.box(-0.8, 2.2, 1.6, 1.0, rim)
        board.box(-0.62, 2.38, 1.24, 0.64, plate)
    else:
        board.polygon([(-0.7, 2.2), (0.0, 3.4), (0.7, 2.2)], rim)
        board.polygon([(-0.38, 2.4), (0.0, 3.05), (0.38, 2.4)], plate)


def light(pen: Pen) -> None:
    """A traffic light: a dark, upright case with three lamps, one of them lit."""
    dice, case = pen.canvas.dice, pen.named("traffic light")
    case.box(-0.34, 2.1, 0.68, 1.7, plain(dice.colour(20, 80, 10)))
    lit = dice.whole(0, 2)
    lamps = ((60, 215, 120), (235, 180, 50), (225, 60, 50))
    for place, lamp in enumerate(lamps):
        colour = lamp if place == lit else (60, 60, 60)
        case.disc(0.0, 2.4 + 0.55 * place, 0.2, 0.2, plain(colour))


def bin_for_waste(pen: Pen) -> None:
    """A waste bin, which no class claims."""
    colour = pen.canvas.dice.colour(40, 160, 30)
    pen.polygon([(-0.25, 0.0), (-0.3, 0.9), (0.3, 0.9), (0.25, 0.0)], plain(colour))
    pen.box(-0.33, 0.88, 0.66, 0.1, plain(shaded(colour)))
