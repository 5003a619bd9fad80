"""Likely colours of drawn things: a hint at the class, never a proof of it."""

from harness.data.catalogue import Colour
from harness.data.scenes_canvas import Dice

# The ranges overlap, and one thing in eight borrows the colour of another: a net needs shape,
# texture and place besides colour to tell the classes apart.
_SPREAD = 34
_BORROWED = 0.125
_CENTRES: dict[str, Colour] = {
    "aeroplane": (185, 190, 205),
    "bicycle": (60, 165, 185),
    "bird": (205, 175, 70),
    "boat": (195, 80, 60),
    "bottle": (50, 115, 75),
    "bus": (190, 125, 50),
    "car": (80, 95, 140),
    "cat": (200, 135, 65),
    "chair": (165, 60, 90),
    "cow": (165, 160, 155),
    "dog": (115, 85, 60),
    "horse": (135, 65, 40),
    "load": (190, 180, 155),
    "motorcycle": (150, 50, 60),
    "person": (75, 80, 150),
    "pot": (185, 95, 60),
    "rider": (200, 165, 60),
    "screen": (60, 130, 200),
    "sheep": (215, 205, 190),
    "sofa": (130, 70, 140),
    "table": (200, 165, 110),
    "train": (70, 130, 90),
}
_ALL = tuple(_CENTRES)


def likely(dice: Dice, thing: str) -> Colour:
    """A colour near the usual one of `thing`, lighter or darker, now and then another's."""
    centre = _CENTRES[dice.pick(_ALL) if dice.chance(_BORROWED) else thing]
    light = dice.between(0.75, 1.2)
    red, green, blue = (int(value * light) + dice.whole(-_SPREAD, _SPREAD) for value in centre)
    return red, green, blue
