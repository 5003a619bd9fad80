"""Surfaces of drawn things, and the light and the noise that lie over a whole scene."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import Colour
from segdistill.data.scenes_canvas import Dice, Pixels, Surface


def shaded(colour: Colour, share: float = 0.625) -> Colour:
    """`colour` with only `share` of its light."""
    red, green, blue = (int(value * share) for value in colour)
    return red, green, blue


def plain(colour: Colour, grain: int = 6) -> Surface:
    """One colour with fine noise of +- `grain`."""

    def surface(dice: Dice, height: int, width: int) -> Pixels:
        noise = _signed(dice.field(height, width), grain)
        pixels: Pixels = np.array(colour, np.int16) + noise[:, :, None]
        return pixels

    return surface


def blotched(colour: Colour, contrast: int, cell: int) -> Surface:
    """Patches of about `cell` pixels that differ by +- `contrast`: leaves, clouds, hides."""

    def surface(dice: Dice, height: int, width: int) -> Pixels:
        coarse = dice.field(height // cell + 2, width // cell + 2)
        patches = np.repeat(np.repeat(_signed(coarse, contrast), cell, axis=0), cell, axis=1)
        shift = dice.whole(0, cell - 1)
        patches = patches[shift : shift + height, shift : shift + width]
        fine = _signed(dice.field(height, width), max(2, contrast // 3))
        pixels: Pixels = np.array(colour, np.int16) + (patches + fine)[:, :, None]
        return pixels

    return surface


def panes(wall: Colour, glass: Colour, cell: tuple[int, int]) -> Surface:
    """A facade: windows of half a cell (height, width in pixels) in a wall."""

    def surface(dice: Dice, height: int, width: int) -> Pixels:
        rows = np.arange(height)[:, None] % cell[0]
        columns = np.arange(width) % cell[1]
        window = (2 * np.abs(2 * rows - cell[0]) < cell[0]) & (
            2 * np.abs(2 * columns - cell[1]) < cell[1]
        )
        pixels = plain(wall)(dice, height, width)
        pixels[window] = plain(glass, 12)(dice, height, width)[window]
        return pixels

    return surface


def grid(colour: Colour, joint: int, cell: tuple[int, int], bond: bool = False) -> Surface:
    """Tiles, or bricks with `bond`: joints that differ by `joint` around cells (height, width)."""

    def surface(dice: Dice, height: int, width: int) -> Pixels:
        rows, columns = np.arange(height)[:, None], np.arange(width)
        offset = (rows // cell[0] % 2) * (cell[1] // 2) if bond else 0 * rows
        joints = (rows % cell[0] == 0) | ((columns + offset) % cell[1] == 0)
        pixels = plain(colour)(dice, height, width)
        pixels += (joints * np.int16(joint))[:, :, None]
        return pixels

    return surface


def striped(first: Colour, second: Colour, period: int, upright: bool) -> Surface:
    """Two colours in turn, each `period` pixels wide."""

    def surface(dice: Dice, height: int, width: int) -> Pixels:
        along = np.arange(width)[None, :] if upright else np.arange(height)[:, None]
        odd = np.broadcast_to(along // period % 2 == 1, (height, width))
        pixels = plain(first)(dice, height, width)
        pixels[odd] = plain(second)(dice, height, width)[odd]
        return pixels

    return surface


def fading(top: Colour, bottom: Colour, grain: int = 4) -> Surface:
    """A vertical gradient."""

    def surface(dice: Dice, height: int, width: int) -> Pixels:
        weight = np.arange(height)[:, None, None]
        first, last = np.array(top), np.array(bottom)
        colours = first + (last - first) * weight // max(1, height - 1)
        noise = _signed(dice.field(height, width), grain)
        pixels: Pixels = (colours + noise[:, :, None]).astype(np.int16)
        return pixels

    return surface


def leaning(
    image: Pixels, label: NDArray[np.uint8], colours: Mapping[int, Colour], dice: Dice, percent: int
) -> Pixels:
    """`image` with every class shifted towards its own colour, by half to all of `percent`.

    A cue that small networks can start from; ranges overlap, so it is never enough alone.
    """
    shifted = image.copy()
    for train_id, colour in colours.items():
        strength = dice.whole(percent // 2, percent)
        lean = (np.array(colour, np.int16) - np.int16(128)) * np.int16(strength) // np.int16(100)
        shifted[label == train_id] += lean
    return shifted


def exposed(image: Pixels, dice: Dice, noise: int) -> NDArray[np.uint8]:
    """`image` (H W 3) under uneven light and a colour cast, softened, with sensor noise."""
    height, width = image.shape[:2]
    softened = _softened(np.clip(image, 0, 255).astype(np.int32))
    gain = dice.whole(205, 285)
    cast = np.array([gain + dice.whole(-10, 10) for _ in range(3)], np.int32)
    coarse = (dice.field(4, 5) * 52).astype(np.uint8) + np.uint8(102)
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    lit = (softened * cast * light[:, :, None].astype(np.int32)) >> 15
    grains = np.stack([_signed(dice.field(height, width), noise) for _ in range(3)], axis=2)
    pixels: NDArray[np.uint8] = np.clip(lit + grains, 0, 255).astype(np.uint8)
    return pixels


def _softened(image: NDArray[np.int32]) -> NDArray[np.int32]:
    """Weights 1 2 1 along both axes: pixel colours mix at edges as in a photograph."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    total: NDArray[np.int32] = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
    return (total + 8) >> 4


def _signed(field: NDArray[np.float64], amplitude: int) -> NDArray[np.int16]:
    return (field * (2 * amplitude + 1)).astype(np.int16) - np.int16(amplitude)
