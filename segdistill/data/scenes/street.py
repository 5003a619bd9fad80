"""Streets in the manner of Cityscapes and CamVid: a straight road and what stands beside it."""

from typing import NamedTuple

from segdistill.data.catalogue import IGNORE
from segdistill.data.scenes import shapes
from segdistill.data.scenes.canvas import Canvas, Look
from segdistill.data.scenes.textures import bands, blotches, checks, fading, plain, stripes, windows

_CAMERA = 1.9  # height over the ground in metres, as all lengths here
Place = tuple[float, float, float, float]  # distance to the road's middle, nearness: from, to


class Kind(NamedTuple):
    """A class that stands in the street."""

    place: Place
    least: int  # how many there are at least, and at most
    most: int
    look: Look
    lift: float = 0  # height of its foot over the ground
    base: tuple[str, ...] = ()  # it stands on one of these


# Nearness is 0 on the horizon and 1 at the lower edge.
_ROAD, _WALK = (0, 3.2, 0.15, 0.8), (3.8, 7, 0.2, 0.95)
_VERGE, _BEHIND = (7, 11, 0.1, 0.5), (7, 16, 0.08, 0.3)
# Painted in this order, from the horizon down to the lower edge.
_GROUND = {
    "terrain": Look(shapes.BOX, 200, _CAMERA, (135, 185, 85), blotches),
    "sidewalk": Look(shapes.TRIANGLE, 16, _CAMERA, (185, 145, 160), checks),
    "road": Look(shapes.TRIANGLE, 7, _CAMERA, (95, 95, 105), plain),
}
_SKY = Look(shapes.BOX, 200, 20, (160, 190, 225), fading)
_BONNET = Look(shapes.DISC, 5, 0.6, (60, 60, 65), plain)

_POST, _BIKE = ("pole",), ("bicycle", "motorcycle")
_KINDS = {
    "building": Kind(_BEHIND, 3, 5, Look(shapes.BOX, 9, 10, (150, 120, 105), windows)),
    "vegetation": Kind(_VERGE, 3, 6, Look(shapes.TREE, 5, 6, (50, 115, 40), blotches)),
    "wall": Kind(_VERGE, 1, 3, Look(shapes.BOX, 7, 3, (175, 90, 65), bands)),
    "fence": Kind(_VERGE, 1, 3, Look(shapes.BOX, 7, 2.5, (65, 85, 120), stripes)),
    "pole": Kind(_WALK, 1, 3, Look(shapes.BOX, 0.4, 6, (215, 215, 220), plain)),
    "traffic light": Kind(_WALK, 1, 2, Look(shapes.BOX, 1, 2, (220, 140, 30), bands), 2.5, _POST),
    "traffic sign": Kind(_WALK, 1, 2, Look(shapes.DISC, 2, 2, (225, 215, 50), plain), 2.5, _POST),
    "person": Kind(_WALK, 4, 7, Look(shapes.PERSON, 1.2, 2, (225, 35, 90), stripes)),
    "car": Kind(_ROAD, 1, 2, Look(shapes.CAR, 3.6, 1.6, (45, 75, 190), fading)),
    "truck": Kind(_ROAD, 0, 1, Look(shapes.LORRY, 4.4, 2.8, (190, 180, 160), plain)),
    "bus": Kind(_ROAD, 0, 1, Look(shapes.VAN, 4.4, 2.8, (225, 130, 40), windows)),
    "train": Kind(_ROAD, 0, 1, Look(shapes.TRAM, 4.4, 3.2, (45, 150, 90), bands)),
    "motorcycle": Kind(_WALK, 0, 2, Look(shapes.MOTORBIKE, 2, 1.2, (130, 35, 50), plain)),
    "bicycle": Kind(_WALK, 0, 2, Look(shapes.BICYCLE, 2, 1.2, (45, 160, 180), plain)),
    "rider": Kind(_ROAD, 1, 2, Look(shapes.PERSON, 1, 1.4, (140, 60, 205), stripes), 0.7, _BIKE),
}


def draw_street(canvas: Canvas, labels: dict[str, int]) -> None:
    """Paint a street; `labels` holds the train id of everything that is drawn."""
    dice, height = canvas.dice, canvas.height
    middle = canvas.width * dice.between(0.35, 0.65)
    horizon = height * dice.between(0.35, 0.5)
    full = (height - horizon) / _CAMERA  # pixels a metre at the lower edge

    def paint(name: str, look: Look, x: float, depth: float, lift: float = 0) -> None:
        scale = depth * full
        foot = horizon + (_CAMERA - lift) * scale
        canvas.paint(look, labels[name], middle + x * scale, foot, scale)

    canvas.paint(_SKY, labels["sky"], middle, horizon, full)
    for name, look in _GROUND.items():
        paint(name, look, 0, 1)
    things = [
        (dice.between(*kind.place[2:]), name, kind)
        for name, kind in _KINDS.items()
        for _ in range(dice.whole(kind.least, kind.most))
    ]
    for depth, name, kind in sorted(things, key=lambda thing: thing[0]):
        x = dice.pick((-1, 1)) * dice.between(*kind.place[:2])
        if kind.base:
            base = dice.pick(kind.base)
            paint(base, _KINDS[base].look, x, depth)
        paint(name, kind.look, x, depth, kind.lift)
    if dice.between(0, 1) < 0.6:
        canvas.paint(_BONNET, IGNORE, canvas.width / 2, height * 1.05, full)
