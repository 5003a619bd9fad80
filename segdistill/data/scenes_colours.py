"""Likely colours of drawn things: a hint at the class, never a proof of it."""

from segdistill.data.catalogue import Colour
from segdistill.data.scenes_canvas import Dice

# The ranges overlap, and one thing in twenty borrows the colour of another: a net needs shape,
# texture and place besides colour to tell the classes apart.
_SPREAD = 20
_BORROWED = 0.05
_CENTRES: dict[str, Colour] = {
    "aeroplane": (205, 212, 225),
    "bicycle": (40, 170, 190),
    "bird": (225, 205, 60),
    "boat": (205, 60, 50),
    "bottle": (35, 110, 60),
    "bus": (215, 120, 30),
    "car": (60, 90, 180),
    "cat": (235, 165, 120),
    "chair": (190, 50, 120),
    "cow": (150, 150, 150),
    "dog": (125, 90, 45),
    "fence": (45, 75, 85),
    "horse": (110, 40, 25),
    "load": (200, 190, 160),
    "motorcycle": (150, 25, 40),
    "person": (85, 75, 170),
    "pole": (140, 145, 150),
    "pot": (185, 95, 60),
    "rider": (210, 175, 50),
    "screen": (60, 140, 220),
    "sheep": (230, 215, 195),
    "sofa": (120, 60, 150),
    "table": (215, 185, 125),
    "train": (60, 150, 80),
    "wall": (160, 95, 70),
}
_ALL = tuple(_CENTRES)


def likely(dice: Dice, thing: str) -> Colour:
    """A colour near the usual one of `thing`, lighter or darker, now and then another's."""
    centre = _CENTRES[dice.pick(_ALL) if dice.chance(_BORROWED) else thing]
    light = dice.between(0.85, 1.12)
    red, green, blue = (int(value * light) + dice.whole(-_SPREAD, _SPREAD) for value in centre)
    return red, green, blue
