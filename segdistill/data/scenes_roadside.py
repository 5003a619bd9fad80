"""What lines a drawn street: buildings, walls, fences and trees."""

from segdistill.data.scenes_canvas import Pen, Point
from segdistill.data.scenes_colours import likely
from segdistill.data.scenes_perspective import SIDES, Item, Street
from segdistill.data.scenes_surfaces import blotched, grid, panes, plain, shaded, striped


def roadside(street: Street) -> list[Item]:
    """Buildings, walls, fences and trees along both sides."""
    dice, items = street.canvas.dice, []
    for side in SIDES:
        depth = dice.between(0.05, 0.08)
        while depth < 1.3:
            nearer = depth * dice.between(1.2, 1.8)
            far = depth

            def draw(side: int = side, far: float = far, near: float = nearer) -> None:
                _draw_side(street, side, far, near)

            items.append(Item(far, draw))
            depth = nearer
    return items


def _draw_side(street: Street, side: int, far: float, near: float) -> None:
    """Fill one stretch of the roadside, `side` -1 or 1, with one of its kinds."""
    dice = street.canvas.dice
    kind = dice.pick((_building, _building, _trees, _trees, _wall, _wall, _fence, _fence, _fence))
    kind(street, side * street.verge, far, near)
    if dice.chance(0.2):
        _tree(street, side * (street.verge - 0.6), far)


def _facade(street: Street, x: float, far: float, near: float, height: float) -> list[Point]:
    """Corners of an upright plane along the street."""
    return [street.ground(x, far), street.ground(x, near),
            street.ground(x, near, height), street.ground(x, far, height)]  # fmt: skip


def _building(street: Street, x: float, far: float, near: float) -> None:
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


def _wall(street: Street, x: float, far: float, near: float) -> None:
    dice = street.canvas.dice
    colour = likely(dice, "wall")
    cell = dice.whole(2, 4)
    surface = grid(colour, dice.pick((-30, 30)), (cell, 3 * cell), bond=True)
    street.canvas.polygon(_facade(street, x, far, near, dice.between(2.4, 4.4)), "wall", surface)


def _fence(street: Street, x: float, far: float, near: float) -> None:
    """Boards, or bars through which the background shows; the whole stretch is labelled."""
    dice, canvas = street.canvas.dice, street.canvas
    if dice.chance(0.6):
        _trees(street, x * 1.3, far, near)
    height, colour = dice.between(1.8, 3.2), likely(dice, "fence")
    corners = _facade(street, x, far, near, height)
    if dice.chance(0.5):
        boards = striped(colour, shaded(colour), dice.whole(1, 2), upright=True)
        canvas.polygon(corners, "fence", boards)
        return
    canvas.polygon(corners, "fence", None)
    steel = plain(colour)
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


def _trees(street: Street, x: float, far: float, near: float) -> None:
    for depth in (far, (far + near) / 2):
        _tree(street, x * street.canvas.dice.between(0.95, 1.3), depth)


def _tree(street: Street, x: float, depth: float) -> None:
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
