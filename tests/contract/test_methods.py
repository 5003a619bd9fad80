"""Every method that ships with the suite, and the template, keep the contract."""

from typing import Any

import pytest
from contract import MethodContract

from segdistill.distill import Distiller, load, method_names

TEMPLATE = "segdistill.distill.template:Template"
FEATURE = "head.embedding"
Case = tuple[str, dict[str, Any]]
VARIANTS: list[Case] = [
    ("cwd", {"tap": FEATURE}),
    ("cwd", {"tap": "backbone.4", "ignore": "mask"}),
    ("skd", {"adversary": "hinge", "conditional": True, "pair_pool": 1}),
    ("skd", {"pair_pool": 0.5, "detach_norm": True, "ignore": "mask"}),
    ("ifvd", {"conditional": True, "ignore": "mask"}),
]
CASES: list[Case] = [(name, {}) for name in (*method_names(), TEMPLATE)] + VARIANTS


def _label(case: Case) -> str:
    return " ".join([case[0], *(f"{name}={value}" for name, value in case[1].items())])


@pytest.fixture(params=CASES, ids=_label)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


class TestEveryMethod(MethodContract):
    @pytest.fixture
    def method(self, case: Case) -> type[Distiller]:
        return load(case[0])

    @pytest.fixture
    def options(self, case: Case) -> dict[str, Any]:
        return case[1]


@pytest.mark.parametrize("name", method_names())
def test_a_method_is_found_by_the_name_it_bears(name: str) -> None:
    assert load(name).name == name


def test_the_core_methods_are_found() -> None:
    assert {"student", "kd", "cwd", "skd", "ifvd", "pcd"} <= set(method_names())
