"""Street scenes in the manner of Cityscapes and CamVid: a straight street in true perspective."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from harness.data import scenes_creatures as creatures
from harness.data import scenes_vehicles as vehicles
from harness.data.scenes_canvas import VOID, Canvas, Dice, Pen, Point, Surface
from harness.data.scenes_colours import likely
from harness.data.scenes_roadside import SIDES, bin_for_waste, draw_side, light, sign
from harness.data.scenes_surfaces import blotched, fading, grid, plain


@dataclass(frozen=True)
class Street:
    """The camera and the cross-section of one street; lengths in metres."""

    canvas: Canvas
    vanishing: Point  # pixel of the vanishing point
    camera: float  # height over the ground
    road: float  # half its width
    walk: float  # outer edge of the sidewalks
    verge: float  # outer edge of the grass, where facades begin

    def scale(self, depth: float) -> float:
        """Pixels a metre where the ground is `depth` of the way from horizon to lower edge."""
        return depth * (self.canvas.height - self.vanishing[1]) / self.camera

    def ground(self, x: float, depth: float, up: float = 0.0) -> Point:
        """The pixel `up` metres above the ground, `x` metres right of the road's middle."""
        scale = self.scale(depth)
        return self.vanishing[0] + x * scale, self.vanishing[1] + (self.camera - up) * scale

    def pen(self, part: str, x: float, depth: float) -> Pen:
        """A pen in metres for something that stands at (x, depth)."""
        mirrored = self.canvas.dice.chance(0.5)
        return Pen(self.canvas, part, self.ground(x, depth), self.scale(depth), mirrored)


class Item(NamedTuple):
    """Something to draw; smaller depths are further away and are drawn first."""

    depth: float
    draw: Callable[[], None]


def draw_street(canvas: Canvas) -> None:
    """Paint a street with what stands and moves on it, and the bonnet of the camera's car."""
    dice = canvas.dice
    road = dice.between(2.4, 3.6)
    walk = road + dice.between(1.8, 3.0)
    street = Street(
        canvas,
        vanishing=(
            canvas.width * dice.between(0.35, 0.65),
            canvas.height * dice.between(0.36, 0.5),
        ),
        camera=dice.between(1.7, 2.2),
        road=road,
        walk=walk,
        verge=walk + dice.between(1.8, 4.5),
    )
    _sky_and_ground(street)
    items = [*_roadside(street), *_furniture(street), *_traffic(street)]
    for item in sorted(items, key=lambda item: item.depth):
        item.draw()
    if dice.chance(0.6):
        _bonnet(street)


def _sky_and_ground(street: Street) -> None:
    canvas, dice = street.canvas, street.canvas.dice
    width, horizon = canvas.width, round(street.vanishing[1])
    sky = fading(dice.colour(100, 200, 10, (-15, 0, 25)), dice.colour(160, 230, 12))
    canvas.polygon([(0, 0), (width, 0), (width, horizon), (0, horizon)], "sky", sky)
    for _ in range(dice.whole(0, 4)):
        centre = dice.between(0, width), dice.between(0, horizon * 0.7)
        cloud = blotched(dice.colour(170, 235, 5), 10, 5)
        canvas.ellipse(centre, (dice.between(8, 34), dice.between(3, 8)), "sky", cloud)
    _strip(street, -60, 60, "terrain", _grass(dice))
    # Road and sidewalk share their greys; joints, markings and place tell them apart.
    tile = dice.whole(3, 6)
    paving = grid(dice.colour(105, 185, 8, (8, 0, -8)), dice.pick((-28, 28)), (tile, 2 * tile))
    _strip(street, -street.walk, street.walk, "sidewalk", paving)
    asphalt = dice.colour(55, 125, 6)
    _strip(street, -street.road, street.road, "road", plain(asphalt, dice.whole(5, 11)))
    for x in (-street.road * 0.97, street.road * 0.97):
        _strip(street, x - 0.07, x + 0.07, "road", plain(dice.colour(150, 220)))
    _lane_marks(street, plain(dice.colour(170, 225)))


def _grass(dice: Dice) -> Surface:
    return blotched(dice.colour(110, 165, 12, (5, 20, -55)), 14, 2)


def _strip(street: Street, left: float, right: float, part: str, surface: Surface) -> None:
    """Ground between two lines along the street, from the horizon to the lower edge."""
    corners = [street.ground(x, depth) for x, depth in
               ((left, 0.0), (right, 0.0), (right, 1.1), (left, 1.1))]  # fmt: skip
    street.canvas.polygon(corners, part, surface)


def _lane_marks(street: Street, surface: Surface) -> None:
    depth = street.canvas.dice.between(0.06, 0.1)
    while depth < 1.1:
        far, near = depth, depth * 1.25
        corners = [street.ground(-0.1, far), street.ground(0.1, far),
                   street.ground(0.1, near), street.ground(-0.1, near)]  # fmt: skip
        street.canvas.polygon(corners, "road", surface)
        depth *= 1.6


def _roadside(street: Street) -> list[Item]:
    """Buildings, walls, fences and trees along both sides."""
    dice, items = street.canvas.dice, []
    for side in SIDES:
        depth = dice.between(0.05, 0.08)
        while depth < 1.3:
            nearer = depth * dice.between(1.2, 1.8)
            far = depth

            def draw(side: int = side, far: float = far, near: float = nearer) -> None:
                draw_side(street, side, far, near)

            items.append(Item(far, draw))
            depth = nearer
    return items


def _furniture(street: Street) -> list[Item]:
    """Poles along the kerb, most of which carry a sign or a light."""
    dice, items = street.canvas.dice, []
    for _ in range(dice.whole(3, 6)):
        x = dice.pick(SIDES) * dice.between(street.road + 0.3, street.walk)
        depth = dice.between(0.15, 0.75)
        kind = dice.pick((sign, sign, light, light, None))

        def draw(x: float = x, depth: float = depth,
                 kind: Callable[[Pen], None] | None = kind) -> None:  # fmt: skip
            pen = street.pen("pole", x, depth)
            steel = plain(likely(dice, "pole"))
            height = dice.between(2.6, 3.6) if kind else dice.between(4.5, 7.0)
            pen.bar((0.0, 0.0), (0.0, height), 0.3, steel)
            if kind:
                kind(pen)
            elif dice.chance(0.6):
                pen.bar((0.0, height), (1.4, height + 0.2), 0.2, steel)

        items.append(Item(depth, draw))
    return items


class Habit(NamedTuple):
    """What is met in a street: how often, on the road or on the sidewalk, how near."""

    parts: tuple[tuple[str, Callable[[Pen], None]], ...]
    least: int
    most: int
    place: str
    depths: tuple[float, float]


_BIKE, _MOTOR = ("bicycle", vehicles.bicycle), ("motorcycle", vehicles.motorcycle)
_RIDER = ("rider", creatures.rider)
_FAR, _NEAR = (0.12, 0.35), (0.35, 0.9)
HABITS = (
    Habit((("car", vehicles.car),), 0, 2, "road", _FAR),
    Habit((("car", vehicles.car),), 1, 2, "road", _NEAR),
    Habit((("truck", vehicles.truck),), 0, 1, "road", (0.15, 0.5)),
    Habit((("bus", vehicles.bus),), 0, 1, "road", (0.15, 0.5)),
    Habit((("train", vehicles.train),), 0, 1, "road", (0.15, 0.45)),
    Habit((("person", creatures.person),), 1, 4, "walk", _FAR),
    Habit((("person", creatures.person),), 1, 3, "walk", (0.35, 0.7)),
    Habit((("person", creatures.person),), 0, 1, "road", _NEAR),
    Habit((_BIKE, _RIDER), 0, 1, "road", _FAR),
    Habit((_BIKE, _RIDER), 0, 2, "road", _NEAR),
    Habit((_MOTOR, _RIDER), 0, 2, "road", _NEAR),
    Habit((_BIKE,), 0, 2, "walk", (0.25, 0.7)),
    Habit((_MOTOR,), 0, 2, "walk", (0.25, 0.7)),
    Habit(((VOID, bin_for_waste),), 0, 1, "walk", (0.2, 0.6)),
)


def _traffic(street: Street) -> list[Item]:
    dice, items = street.canvas.dice, []
    for habit in HABITS:
        for _ in range(dice.whole(habit.least, habit.most)):
            low, high = (0, street.road) if habit.place == "road" else (street.road, street.walk)
            x = dice.pick(SIDES) * dice.between(low, high)
            depth = dice.between(*habit.depths)

            def draw(habit: Habit = habit, x: float = x, depth: float = depth) -> None:
                pen = street.pen(VOID, x, depth)
                for part, shape in habit.parts:
                    shape(pen.named(part))

            items.append(Item(depth, draw))
    return items


def _bonnet(street: Street) -> None:
    canvas, dice = street.canvas, street.canvas.dice
    middle, height = canvas.width / 2, canvas.height
    rise = dice.between(4, 9)
    colour = plain(dice.colour(25, 120, 20), 4)
    canvas.ellipse((middle, height + rise), (canvas.width * 0.55, 2 * rise), VOID, colour)
