"""Object scenes in the manner of VOC: one to four objects before a room, a meadow, water or sky."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from segdistill.data import scenes_creatures as creatures
from segdistill.data import scenes_things as things
from segdistill.data import scenes_vehicles as vehicles
from segdistill.data.scenes_backgrounds import PLACES, background
from segdistill.data.scenes_canvas import Canvas, Pen


class Kind(NamedTuple):
    """How an object class is drawn, its extent in its own units, and where it is found."""

    draw: Callable[[Pen], None]
    width: float
    height: float
    place: str  # "sky", "water", "meadow", "street", "room"


def _animal(build: creatures.Build) -> Callable[[Pen], None]:
    return partial(creatures.quadruped, build=build)


KINDS: dict[str, Kind] = {
    "aeroplane": Kind(things.aeroplane, 2.8, 1.0, "sky"),
    "bicycle": Kind(vehicles.bicycle, 1.8, 1.1, "street"),
    "bird": Kind(creatures.bird, 1.4, 1.1, "sky"),
    "boat": Kind(things.boat, 1.6, 1.4, "water"),
    "bottle": Kind(things.bottle, 0.34, 1.0, "room"),
    "bus": Kind(vehicles.bus, 7.0, 3.2, "street"),
    "car": Kind(vehicles.car, 3.6, 1.5, "street"),
    "cat": Kind(_animal(creatures.CAT), 2.8, 2.5, "room"),
    "chair": Kind(things.chair, 0.7, 1.05, "room"),
    "cow": Kind(_animal(creatures.COW), 3.3, 2.5, "meadow"),
    "diningtable": Kind(things.table, 2.0, 1.0, "room"),
    "dog": Kind(_animal(creatures.DOG), 3.2, 3.0, "room"),
    "horse": Kind(_animal(creatures.HORSE), 3.4, 4.1, "meadow"),
    "motorbike": Kind(vehicles.motorcycle, 2.1, 1.2, "street"),
    "person": Kind(creatures.person, 0.7, 1.75, "street"),
    "pottedplant": Kind(things.potted_plant, 1.0, 1.1, "room"),
    "sheep": Kind(_animal(creatures.SHEEP), 2.8, 2.0, "meadow"),
    "sofa": Kind(things.sofa, 2.4, 1.0, "room"),
    "train": Kind(vehicles.train, 9.0, 4.0, "street"),
    "tvmonitor": Kind(things.monitor, 1.3, 1.05, "room"),
}


def draw_objects(canvas: Canvas, first: str) -> None:
    """Paint a background and objects, of which one is a `first`; far ones come first."""
    dice = canvas.dice
    # Usually the place fits the object, but a net must not rely on that.
    place = KINDS[first].place if dice.chance(0.75) else dice.pick(PLACES)
    horizon = round(canvas.height * dice.between(0.3, 0.6))
    background(canvas, place, horizon)
    fitting = [name for name, kind in KINDS.items() if kind.place == place] or list(KINDS)
    others = [dice.pick(fitting if dice.chance(0.6) else tuple(KINDS))
              for _ in range(dice.whole(0, 2))]  # fmt: skip
    names = [*others, first]
    feet = sorted(dice.between(0.35, 1.0) for _ in names)
    for name, foot in zip(names, feet, strict=True):
        size = dice.between(0.9, 1.25) if name == first else dice.between(0.3, 0.7)
        _object(canvas, name, foot, size)


def _object(canvas: Canvas, name: str, foot: float, size: float) -> None:
    """One object that fills the share `size` of the image along its longer side."""
    dice, kind = canvas.dice, KINDS[name]
    scale = size * min(canvas.width / kind.width, canvas.height / kind.height)
    half = min(0.5, 0.45 * kind.width * scale / canvas.width)
    x = canvas.width * (dice.between(half, 1 - half) if half < 0.5 else 0.5)
    lowest = max(foot * canvas.height, 1.05 * kind.height * scale)
    y = min(lowest, canvas.height * 1.02)
    kind.draw(Pen(canvas, name, (x, y), scale, mirrored=dice.chance(0.5)))
