"""Every public class of the contract and every baseline shows how it is used, and it works."""

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import baselines
import segdistill.distill

MODULES = [
    importlib.import_module(found.name)
    for package in (segdistill.distill, baselines)
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]


def classes(module: ModuleType) -> list[type]:
    found = vars(module).values()
    return [
        each
        for each in found
        if isinstance(each, type)
        and each.__module__ == module.__name__
        and not each.__name__.startswith("_")
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_give_what_they_say(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "shown",
    [each for module in MODULES for each in classes(module)],
    ids=lambda each: each.__name__,
)
def test_every_class_has_an_example(shown: type) -> None:
    own = shown.__doc__ or ""
    assert doctest.DocTestParser().get_examples(inspect.cleandoc(own))


def test_a_wrong_example_is_found() -> None:
    module = ModuleType("wrong", "Example:\n    >>> 1 + 1\n    3\n")
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(module):
        runner.run(test, out=lambda _: None)
    assert runner.summarize(verbose=False).failed == 1
