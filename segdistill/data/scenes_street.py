"""Street scenes in the manner of Cityscapes and CamVid: a straight street in true perspective."""

from segdistill.data.scenes_canvas import VOID, Canvas, Dice, Surface
from segdistill.data.scenes_furniture import furniture
from segdistill.data.scenes_perspective import Street
from segdistill.data.scenes_roadside import roadside
from segdistill.data.scenes_surfaces import blotched, fading, grid, plain
from segdistill.data.scenes_traffic import traffic


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
    items = [*roadside(street), *furniture(street), *traffic(street)]
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


def _bonnet(street: Street) -> None:
    canvas, dice = street.canvas, street.canvas.dice
    middle, height = canvas.width / 2, canvas.height
    rise = dice.between(4, 9)
    colour = plain(dice.colour(25, 120, 20), 4)
    canvas.ellipse((middle, height + rise), (canvas.width * 0.55, 2 * rise), VOID, colour)
