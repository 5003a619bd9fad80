"""What stands behind the objects of the VOC-like scenes."""

from segdistill.data.scenes_canvas import Canvas, Dice, Surface
from segdistill.data.scenes_surfaces import blotched, fading, grid, plain, striped

BACKGROUND = "background"
PLACES = ("sky", "water", "meadow", "street", "room")


def background(canvas: Canvas, place: str, horizon: int) -> None:
    """Paint `place` with the given horizon row, and clutter that is no object."""
    dice = canvas.dice
    far, near = {
        "sky": (_sky, _sky), "water": (_sky, _water), "meadow": (_sky, _grass),
        "street": (_facade, _asphalt), "room": (_wall, _floor),
    }[place]  # fmt: skip
    width, height = canvas.width, canvas.height
    if place == "sky":
        horizon = height
    _band(canvas, 0, horizon, far(dice))
    _band(canvas, horizon, height, near(dice))
    # Clutter that is no object keeps "not the background texture" from meaning "an object".
    for _ in range(dice.whole(0, 3)):
        x, y = dice.between(0, width), dice.between(0.1, 0.9) * height
        rx, ry = dice.between(4, 26), dice.between(4, 26)
        clutter = dice.pick((_facade, _wall, _grass, _asphalt, _bush))(dice)
        if dice.chance(0.5):
            canvas.ellipse((x, y), (rx, ry), BACKGROUND, clutter)
        else:
            corners = [(x - rx, y - ry), (x + rx, y - ry), (x + rx, y + ry), (x - rx, y + ry)]
            canvas.polygon(corners, BACKGROUND, clutter)


def _band(canvas: Canvas, top: int, bottom: int, surface: Surface) -> None:
    if bottom > top:
        corners = [(0, top), (canvas.width, top), (canvas.width, bottom), (0, bottom)]
        canvas.polygon(corners, BACKGROUND, surface)


def _sky(dice: Dice) -> Surface:
    return fading(dice.colour(110, 190, 10, (-15, 0, 30)), dice.colour(150, 225, 12))


def _water(dice: Dice) -> Surface:
    return striped(dice.colour(60, 130, 8, (-15, 5, 20)), dice.colour(70, 150, 8, (-10, 5, 15)),
                   dice.whole(1, 3), upright=False)  # fmt: skip


def _grass(dice: Dice) -> Surface:
    return blotched(dice.colour(70, 150, 12, (-5, 15, -25)), dice.whole(10, 24), dice.whole(1, 3))


def _bush(dice: Dice) -> Surface:
    return blotched(dice.colour(50, 120, 12, (-10, 15, -20)), 30, 3)


def _asphalt(dice: Dice) -> Surface:
    return plain(dice.colour(60, 150, 6), dice.whole(6, 14))


def _facade(dice: Dice) -> Surface:
    return grid(dice.colour(80, 185, 22), -30, (dice.whole(3, 8), dice.whole(6, 14)), bond=True)


def _wall(dice: Dice) -> Surface:
    if dice.chance(0.4):
        return striped(dice.colour(110, 200, 15), dice.colour(100, 200, 15), dice.whole(3, 9), True)
    return plain(dice.colour(90, 205, 25), 4)


def _floor(dice: Dice) -> Surface:
    cell = dice.whole(5, 14)
    return grid(dice.colour(70, 170, 12, (12, 0, -12)), -22, (cell, 2 * cell))
