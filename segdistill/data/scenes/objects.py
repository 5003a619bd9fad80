"""Object scenes in the manner of VOC: one to three objects before a room, a meadow, the sky."""

from segdistill.data.scenes import shapes
from segdistill.data.scenes.canvas import Canvas, Look
from segdistill.data.scenes.textures import bands, blotches, checks, fading, plain, stripes, windows

_SKY = Look(shapes.BOX, 2, 2, (150, 170, 190), fading)
_WATER = Look(shapes.BOX, 2, 2, (100, 120, 135), bands)
_GRASS = Look(shapes.BOX, 2, 2, (115, 130, 95), blotches)
_FACADE = Look(shapes.BOX, 2, 2, (140, 130, 120), windows)
_ASPHALT = Look(shapes.BOX, 2, 2, (100, 100, 105), plain)
_PAPER = Look(shapes.BOX, 2, 2, (165, 160, 155), stripes)
_FLOOR = Look(shapes.BOX, 2, 2, (130, 115, 105), checks)
# What is seen above and below the horizon.
AIR, SEA, MEADOW = (_SKY, _SKY), (_SKY, _WATER), (_SKY, _GRASS)
STREET, ROOM = (_FACADE, _ASPHALT), (_PAPER, _FLOOR)
PLACES = (AIR, SEA, MEADOW, STREET, ROOM)

# Where a class is usually found, and how it looks; the unit is the image's height.
KINDS: dict[str, tuple[tuple[Look, Look], Look]] = {
    "aeroplane": (AIR, Look(shapes.PLANE, 1, 0.6, (235, 235, 245), plain)),
    "bicycle": (STREET, Look(shapes.BICYCLE, 1, 0.7, (20, 190, 200), plain)),
    "bird": (AIR, Look(shapes.BIRD, 0.9, 0.8, (235, 215, 40), blotches)),
    "boat": (SEA, Look(shapes.BOAT, 0.9, 0.9, (235, 50, 35), plain)),
    "bottle": (ROOM, Look(shapes.BOTTLE, 0.4, 0.95, (20, 100, 45), fading)),
    "bus": (STREET, Look(shapes.VAN, 1, 0.65, (245, 130, 20), windows)),
    "car": (STREET, Look(shapes.CAR, 1, 0.5, (40, 80, 215), fading)),
    "cat": (ROOM, Look(shapes.BEAST, 0.9, 0.6, (250, 165, 115), bands)),
    "chair": (ROOM, Look(shapes.CHAIR, 0.6, 0.9, (225, 40, 140), stripes)),
    "cow": (MEADOW, Look(shapes.BEAST, 1, 0.7, (60, 60, 60), blotches)),
    "diningtable": (ROOM, Look(shapes.TABLE, 1, 0.6, (230, 190, 110), fading)),
    "dog": (ROOM, Look(shapes.BEAST, 0.9, 0.7, (140, 95, 30), stripes)),
    "horse": (MEADOW, Look(shapes.BEAST, 0.9, 0.9, (115, 35, 20), plain)),
    "motorbike": (STREET, Look(shapes.MOTORBIKE, 1, 0.65, (170, 15, 40), plain)),
    "person": (STREET, Look(shapes.PERSON, 0.45, 1, (85, 60, 190), stripes)),
    "pottedplant": (ROOM, Look(shapes.PLANT, 0.7, 0.9, (80, 190, 40), blotches)),
    "sheep": (MEADOW, Look(shapes.BEAST, 0.9, 0.6, (245, 235, 210), blotches)),
    "sofa": (ROOM, Look(shapes.SOFA, 1, 0.6, (140, 40, 190), checks)),
    "train": (STREET, Look(shapes.TRAM, 1, 0.75, (30, 165, 80), bands)),
    "tvmonitor": (ROOM, Look(shapes.SCREEN, 0.9, 0.75, (60, 165, 245), windows)),
}


def draw_objects(canvas: Canvas, labels: dict[str, int], main: str) -> None:
    """Paint a background, clutter, up to two small objects, and a large `main`."""
    dice, side = canvas.dice, canvas.height
    # Usually the place fits the object, but a network must not rely on that.
    place = KINDS[main][0] if dice.between(0, 1) < 0.75 else dice.pick(PLACES)
    horizon = side * dice.between(0.3, 0.7)
    for look, foot in zip(place, (horizon, horizon + 2 * side), strict=True):
        canvas.paint(look, labels["background"], side / 2, foot, side)
    # Clutter of no class: "not the background's texture" must not mean "an object".
    looks = [look for _, look in KINDS.values()]
    for _ in range(dice.whole(0, 3)):
        shape, texture = dice.pick((shapes.BOX, shapes.DISC)), dice.pick(looks).texture
        look = dice.pick(looks)._replace(shape=shape, texture=texture)
        x, foot = side * dice.between(0, 1), side * dice.between(0.1, 1.1)
        canvas.paint(look, labels["background"], x, foot, side * dice.between(0.15, 0.45))
    names = [*(dice.pick(tuple(KINDS)) for _ in range(dice.whole(0, 2))), main]
    for name in names:
        look = KINDS[name][1]
        size = dice.between(0.85, 1.2) if name == main else dice.between(0.1, 0.45)
        x = side * dice.between(0.3, 0.7)
        foot = max(look.height * size, dice.between(0.4, 1.05)) * side
        canvas.paint(look, labels[name], x, foot, size * side)
