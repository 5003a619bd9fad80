"""The smoke experiment's params.yaml as plain values, for tests that change it."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
DATASET, METHOD = "scenes_camvid", "kd"
FILE = Path("experiments/smoke/params.yaml")


def load_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def write(document: dict[str, Any]) -> None:
    FILE.parent.mkdir(parents=True, exist_ok=True)
    YAML().dump(document, FILE)


def set_leaf(document: dict[str, Any], place: list[str], value: Any) -> None:
    for key in place[:-1]:
        document = document[key]
    document[place[-1]] = value
