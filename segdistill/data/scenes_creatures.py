"""People and animals of the drawn scenes, in metres."""

from dataclasses import dataclass

from segdistill.data.catalogue import Colour
from segdistill.data.scenes_canvas import Dice, Pen, Surface
from segdistill.data.scenes_colours import likely
from segdistill.data.scenes_surfaces import blotched, plain, shaded, striped


def clothes(dice: Dice, wearer: str) -> Surface:
    """Cloth as `wearer` likes it, sometimes striped."""
    colour = likely(dice, wearer)
    if dice.chance(0.25):
        return striped(colour, dice.colour(60, 200, 30), 2, upright=False)
    return plain(colour, 8)


def skin(dice: Dice) -> Surface:
    """A skin colour."""
    return plain(dice.colour(85, 175, 8, (25, 0, -20)), 5)


def person(pen: Pen) -> None:
    """Somebody of 1.75 m who stands or walks."""
    dice = pen.canvas.dice
    stride = dice.between(0.05, 0.3)
    legs, coat = clothes(dice, "person"), clothes(dice, "person")
    for foot in (-stride, stride):
        pen.bar((foot, 0.0), (foot / 3, 0.85), 0.17, legs)
    swing = dice.between(0.1, 0.3)
    pen.polygon([(-0.2, 0.8), (-0.25, 1.42), (0.25, 1.42), (0.2, 0.8)], coat)
    for side in (-1, 1):
        pen.bar((side * 0.26, 1.38), (side * swing + 0.08, 0.85), 0.11, coat)
    _head(pen, 0.0, 1.6)


def rider(pen: Pen) -> None:
    """Somebody who sits on a two-wheeler: a leaning trunk, a bent leg, arms to the bar."""
    dice = pen.canvas.dice
    legs, coat = clothes(dice, "person"), clothes(dice, "rider")
    pen.bar((-0.2, 0.95), (0.2, 0.7), 0.18, legs)
    pen.bar((0.2, 0.75), (0.05, 0.25), 0.14, legs)
    pen.polygon([(-0.35, 0.9), (-0.05, 1.5), (0.25, 1.45), (0.0, 0.9)], coat)
    pen.bar((0.12, 1.4), (0.42, 1.08), 0.11, coat)
    _head(pen, 0.15, 1.66)


def _head(pen: Pen, x: float, y: float) -> None:
    dice = pen.canvas.dice
    pen.disc(x, y, 0.12, 0.15, skin(dice))
    pen.polygon(
        [(x - 0.13, y + 0.03), (x - 0.1, y + 0.17), (x + 0.1, y + 0.17), (x + 0.13, y + 0.03)],
        plain(dice.colour(25, 120, 15), 8),
    )


@dataclass(frozen=True)
class Build:
    """What tells one four-legged animal from another; lengths in trunk heights."""

    thing: str  # whose colour it has
    trunk: float  # length
    legs: float
    neck: float  # how far the head rises above the back
    snout: float
    ears: str  # "pointed", "hanging", "horns", "small"
    tail: str  # "long", "up", "brush", "none"
    hide: str  # "plain", "patched", "woolly"


CAT = Build(
    "cat", trunk=1.7, legs=0.75, neck=0.35, snout=0.05, ears="pointed", tail="long", hide="plain"
)
DOG = Build(
    "dog", trunk=1.7, legs=1.1, neck=0.55, snout=0.5, ears="hanging", tail="up", hide="plain"
)
HORSE = Build(
    "horse", trunk=1.9, legs=1.5, neck=1.0, snout=0.6, ears="small", tail="brush", hide="plain"
)
COW = Build(
    "cow", trunk=2.2, legs=0.95, neck=0.2, snout=0.4, ears="horns", tail="long", hide="patched"
)
SHEEP = Build(
    "sheep", trunk=1.6, legs=0.6, neck=0.25, snout=0.3, ears="small", tail="none", hide="woolly"
)


def quadruped(pen: Pen, build: Build) -> None:
    """An animal of the given build; its trunk is one unit high."""
    dice = pen.canvas.dice
    colour = likely(dice, build.thing)
    hide = _hide(build.hide, colour)
    half, back = build.trunk / 2, build.legs + 1.0
    dark = plain(shaded(colour, 0.75), 6)
    lean = dice.between(-0.2, 0.2)
    for x, lean_sign in ((-half + 0.1, 1), (-half + 0.4, -1), (half - 0.4, 1), (half - 0.1, -1)):
        pen.bar((x + lean * lean_sign, 0.0), (x, build.legs + 0.4), 0.2, dark)
    pen.disc(0.0, build.legs + 0.5, half, 0.5, hide)
    if build.hide == "woolly":
        for step in range(8):
            x = -half + build.trunk * (step + 0.5) / 8
            pen.disc(x, build.legs + dice.between(0.1, 0.95), 0.28, 0.25, hide)
    head = (half + 0.25, back + build.neck)
    shoulder = half - 0.3
    pen.polygon(
        [(shoulder - 0.3, back - 0.2), (head[0] - 0.2, head[1]), (head[0] + 0.15, head[1] - 0.2),
         (half, back - 0.6)],
        hide,
    )  # fmt: skip
    pen.disc(head[0], head[1], 0.34, 0.32, dark if build.hide == "woolly" else hide)
    if build.snout > 0.1:
        pen.bar((head[0], head[1] - 0.1), (head[0] + 0.2 + build.snout, head[1] - 0.2), 0.28, dark)
    _ears(pen, build.ears, head[0], head[1], dark)
    _tail(pen, build.tail, -half, back, dark)


def _hide(kind: str, colour: Colour) -> Surface:
    return {
        "plain": plain(colour, 8),
        "patched": blotched(colour, 75, 7),
        "woolly": blotched(colour, 20, 2),
    }[kind]


def _ears(pen: Pen, kind: str, x: float, y: float, surface: Surface) -> None:
    for side in (-0.2, 0.15):
        ear = x + side
        if kind == "pointed":
            pen.polygon([(ear - 0.12, y + 0.2), (ear, y + 0.6), (ear + 0.14, y + 0.2)], surface)
        elif kind == "hanging":
            pen.disc(ear - 0.1, y - 0.05, 0.11, 0.3, surface)
        elif kind == "horns":
            pen.bar((ear, y + 0.2), (ear + side, y + 0.55), 0.1, plain((205, 195, 165)))
        else:
            pen.disc(ear, y + 0.3, 0.08, 0.14, surface)


def _tail(pen: Pen, kind: str, x: float, y: float, surface: Surface) -> None:
    if kind == "long":
        pen.bar((x + 0.1, y - 0.3), (x - 0.35, y - 0.1), 0.14, surface)
        pen.bar((x - 0.35, y - 0.1), (x - 0.5, y - 1.0), 0.14, surface)
    elif kind == "up":
        pen.bar((x + 0.1, y - 0.2), (x - 0.4, y + 0.5), 0.16, surface)
    elif kind == "brush":
        pen.polygon([(x + 0.1, y - 0.1), (x - 0.25, y - 0.4), (x - 0.4, y - 1.3), (x, y - 0.6)],
                    surface)  # fmt: skip


def bird(pen: Pen) -> None:
    """A bird about one unit long: body, wing, beak, tail, thin legs."""
    dice = pen.canvas.dice
    colour = likely(dice, "bird")
    feathers, wing = plain(colour, 8), blotched(colour, 30, 2)
    for x in (-0.05, 0.08):
        pen.bar((x, 0.0), (x, 0.3), 0.03, plain((120, 95, 50)))
    pen.polygon([(-0.25, 0.5), (-0.75, 0.35), (-0.72, 0.5), (-0.2, 0.62)], wing)
    pen.disc(0.0, 0.48, 0.34, 0.22, feathers)
    if dice.chance(0.5):
        pen.polygon([(-0.2, 0.5), (-0.45, 1.15), (0.2, 0.6)], wing)
    else:
        pen.disc(-0.08, 0.5, 0.25, 0.13, wing)
    pen.disc(0.33, 0.7, 0.15, 0.14, feathers)
    pen.polygon([(0.45, 0.76), (0.7, 0.68), (0.45, 0.64)], plain((205, 150, 50)))
