"""What moves or waits in a drawn street: vehicles, people, riders."""

from collections.abc import Callable
from typing import NamedTuple

from segdistill.data import scenes_creatures as creatures
from segdistill.data import scenes_vehicles as vehicles
from segdistill.data.scenes_canvas import VOID, Pen
from segdistill.data.scenes_furniture import bin_for_waste
from segdistill.data.scenes_perspective import SIDES, Item, Street


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


def traffic(street: Street) -> list[Item]:
    """Everything that HABITS brings into this street."""
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
