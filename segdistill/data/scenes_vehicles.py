"""Vehicles of the drawn scenes, side and end views, in metres."""

from segdistill.data.catalogue import Colour
from segdistill.data.scenes_canvas import Dice, Pen
from segdistill.data.scenes_colours import likely
from segdistill.data.scenes_surfaces import fading, panes, plain, shaded, striped

_TYRE: Colour = (28, 28, 30)
_STEEL: Colour = (120, 120, 125)


def glass(dice: Dice) -> Colour:
    """A window colour, from dark to reflecting."""
    return dice.colour(25, 130, 12, (0, 5, 12))


def car(pen: Pen) -> None:
    """A car of about 4.2 m, from the side or from an end."""
    dice = pen.canvas.dice
    body, window = likely(dice, "car"), plain(glass(dice), 10)
    if dice.chance(0.5):
        pen.polygon(
            [(-2.1, 0.25), (-2.1, 0.8), (-1.3, 0.95), (-0.8, 1.45), (0.7, 1.45), (1.3, 0.9),
             (2.1, 0.75), (2.1, 0.25)],
            fading(body, shaded(body)),
        )  # fmt: skip
        pen.polygon([(-1.15, 0.95), (-0.75, 1.35), (-0.1, 1.35), (-0.1, 0.95)], window)
        pen.polygon([(0.05, 0.95), (0.05, 1.35), (0.65, 1.35), (1.1, 0.95)], window)
        _wheels(pen, (-1.3, 1.3), 0.33)
        return
    pen.polygon(
        [(-0.9, 0.2), (-0.92, 0.85), (-0.7, 1.45), (0.7, 1.45), (0.92, 0.85), (0.9, 0.2)],
        fading(body, shaded(body)),
    )
    pen.polygon([(-0.7, 0.9), (-0.58, 1.35), (0.58, 1.35), (0.7, 0.9)], window)
    lamp = plain(dice.pick(((170, 40, 35), (235, 230, 205))))
    for side in (-0.85, 0.6):
        pen.box(side, 0.6, 0.25, 0.18, lamp)
        pen.box(side, 0.0, 0.25, 0.25, plain(_TYRE))
    pen.box(-0.6, 0.2, 1.2, 0.12, plain(shaded(body)))


def truck(pen: Pen) -> None:
    """A truck: a cab with one window and a blank, higher load."""
    dice = pen.canvas.dice
    cab, load = likely(dice, "car"), likely(dice, "load")
    if dice.chance(0.6):
        pen.box(-3.6, 0.6, 5.0, 2.7, plain(load, 5))
        pen.polygon(
            [(1.5, 0.5), (1.5, 2.6), (2.7, 2.6), (3.3, 1.5), (3.4, 0.5)], fading(cab, shaded(cab))
        )
        pen.polygon([(2.1, 1.6), (2.1, 2.4), (2.6, 2.4), (3.0, 1.6)], plain(glass(dice), 10))
        pen.box(-3.6, 0.45, 6.9, 0.2, plain(_TYRE))
        _wheels(pen, (-2.8, -1.8, 2.4), 0.5)
        return
    pen.box(-1.2, 0.5, 2.4, 2.9, plain(load, 5))
    pen.bar((0.0, 0.6), (0.0, 3.3), 0.06, plain(shaded(load)))
    pen.box(-1.2, 0.3, 2.4, 0.3, plain(shaded(cab)))
    for side in (-1.15, 0.75):
        pen.box(side, 0.0, 0.4, 0.5, plain(_TYRE))


def bus(pen: Pen) -> None:
    """A bus: a long box with a row of windows and wheels, or its end with one wide window."""
    dice = pen.canvas.dice
    body = likely(dice, "bus")
    if dice.chance(0.55):
        pen.box(-4.5, 0.35, 9.0, 2.8, fading(body, shaded(body)))
        cell = max(4, round(1.3 * pen.scale))
        pen.box(
            -4.3, 1.5, 8.6, 1.0, panes(shaded(body), glass(dice), (2 * round(pen.scale) + 1, cell))
        )
        pen.box(2.9, 0.4, 0.8, 2.1, plain(glass(dice), 10))
        _wheels(pen, (-2.8, 2.4), 0.5)
        return
    pen.box(-1.25, 0.3, 2.5, 2.9, fading(body, shaded(body)))
    pen.box(-1.1, 1.3, 2.2, 1.2, plain(glass(dice), 12))
    pen.box(-0.7, 2.65, 1.4, 0.3, plain((215, 170, 60)))
    for side in (-1.15, 0.75):
        pen.box(side, 0.0, 0.4, 0.4, plain(_TYRE))


def train(pen: Pen) -> None:
    """A tram or train: longer than a bus, striped, without wheels, with a pantograph."""
    dice = pen.canvas.dice
    body = likely(dice, "train")
    long = dice.chance(0.5)
    left, width = (-5.5, 11.0) if long else (-1.3, 2.6)
    pen.polygon(
        [(left, 0.15), (left, 2.6), (left + 0.5, 3.3), (left + width - 0.5, 3.3),
         (left + width, 2.6), (left + width, 0.15)],
        fading(shaded(body), body),
    )  # fmt: skip
    pen.box(left, 0.15, width, 0.35, plain(_TYRE))
    band = max(1, round(0.25 * pen.scale))
    pen.box(left, 0.7, width, 0.6, striped(body, dice.colour(150, 230), band, upright=False))
    if long:
        cell = max(3, round(2.0 * pen.scale))
        pen.box(left + 0.4, 1.5, width - 0.8, 1.0, panes(body, glass(dice), (3 * cell, cell)))
    else:
        pen.box(left + 0.3, 1.5, width - 0.6, 1.2, plain(glass(dice), 12))
    pen.bar((0.0, 3.3), (0.6, 4.0), 0.08, plain(_STEEL))
    pen.bar((0.6, 4.0), (-0.2, 4.6), 0.08, plain(_STEEL))


def bicycle(pen: Pen) -> None:
    """A bicycle of 1.7 m: two thin wheels and a frame of bars, the ground seen through."""
    dice = pen.canvas.dice
    frame, tyre = plain(likely(dice, "bicycle")), plain(_TYRE)
    for x in (-0.55, 0.55):
        pen.disc(x, 0.34, 0.34, 0.34, None)
        pen.disc(x, 0.34, 0.34, 0.34, tyre, hole=0.75)
    for start, end in (
        ((-0.55, 0.34), (-0.15, 0.8)), ((-0.15, 0.8), (0.42, 0.8)), ((0.42, 0.8), (0.0, 0.34)),
        ((0.0, 0.34), (-0.2, 0.95)), ((-0.55, 0.34), (0.0, 0.34)), ((0.55, 0.34), (0.4, 1.05)),
    ):  # fmt: skip
        pen.bar(start, end, 0.07, frame)
    pen.bar((-0.32, 0.97), (-0.05, 0.97), 0.09, tyre)
    pen.bar((0.3, 1.07), (0.5, 1.07), 0.07, tyre)


def motorcycle(pen: Pen) -> None:
    """A motorcycle of 2 m: thick wheels, a solid tank and engine, a seat."""
    dice = pen.canvas.dice
    body = likely(dice, "motorcycle")
    for x in (-0.7, 0.7):
        pen.disc(x, 0.32, 0.32, 0.32, plain(_TYRE))
        pen.disc(x, 0.32, 0.14, 0.14, plain(_STEEL))
    pen.polygon([(-0.6, 0.35), (-0.75, 0.8), (0.35, 0.95), (0.5, 0.4)], plain(shaded(body)))
    pen.polygon([(-0.1, 0.7), (0.0, 1.0), (0.4, 1.0), (0.5, 0.75)], plain(body))
    pen.bar((-0.8, 0.85), (-0.1, 0.85), 0.14, plain(_TYRE))
    pen.bar((0.7, 0.32), (0.45, 1.15), 0.1, plain(_STEEL))
    pen.bar((0.25, 1.17), (0.5, 1.17), 0.08, plain(_TYRE))


def _wheels(pen: Pen, places: tuple[float, ...], radius: float) -> None:
    for x in places:
        pen.disc(x, radius, radius, radius, plain(_TYRE))
        pen.disc(x, radius, radius / 2, radius / 2, plain(_STEEL))
