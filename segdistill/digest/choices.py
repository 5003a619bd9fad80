"""What a run chooses by name, as roots of its digest: data set, parts of its networks, methods."""

import ast
from collections.abc import Iterator
from importlib.metadata import entry_points

from segdistill.data.catalogue import dataset_info
from segdistill.digest.definitions import Codebase, Definition, module_path
from segdistill.errors import SuiteError
from segdistill.settings.loading import RunConfig, did_you_mean
from segdistill.settings.schema import Network

METHODS = "segdistill.methods"  # as distill.ENTRY_POINTS; importing that would load torch
READERS = "segdistill.data.readers"
BACKBONES = "segdistill.models.backbones"
DECODERS = "segdistill.models.decoders"


def training_choices(config: RunConfig) -> list[str]:
    """The choices of a training, in an order that no renaming of a module changes.

    Raises SuiteError if a method is not to be found.
    """
    networks = filter(None, (config.student, config.teacher))
    methods = [method_class(term.method) for term in config.terms]
    return [*methods, reader_module(config.dataset), *_parts(*networks)]


def evaluation_choices(config: RunConfig) -> list[str]:
    """The choices of an evaluation."""
    return [reader_module(config.dataset), *_parts(config.student)]


def reader_module(dataset: str) -> str:
    """The module that knows a data set."""
    return f"{READERS}.{dataset_info(dataset).layout}"


def _parts(*networks: Network) -> Iterator[str]:
    yield from sorted(f"{BACKBONES}.{network.backbone}" for network in networks)
    yield from sorted(f"{DECODERS}.{network.decoder}" for network in networks)


def method_class(name: str) -> str:
    """`MODULE:CLASS` of method `name`, by the order in which `distill.load` looks.

    Raises SuiteError if there is none.
    """
    if ":" in name:
        return name
    for module_name in (f"baselines.{name}", name):
        if name.isidentifier() and module_path(module_name):
            return _class_named(name, module_name)
    for point in entry_points(group=METHODS, name=name):
        return point.value
    raise SuiteError(f"methods: unknown method {name!r}{did_you_mean(name, method_names())}")


def method_names() -> list[str]:
    """Names of the methods that ship with the suite or are installed beside it, sorted."""
    package = module_path("baselines")
    shipped = {path.stem for path in package.parent.glob("[!_]*.py")} if package else set()
    return sorted({*shipped, "pcd", *(point.name for point in entry_points(group=METHODS))})


def _class_named(name: str, module_name: str) -> str:
    """The class that says `name = NAME`, defined in a module or imported there."""
    code = Codebase({module_name.partition(".")[0]})
    module = code.module(module_name)
    assert module is not None
    for own in [*module.bindings, *module.imports]:
        found = code.resolve(module, own)
        if isinstance(found, Definition) and name in _names(code, found):
            return f"{found.module}:{found.name}"
    raise SuiteError(f"{module.path}: defines no method with name = {name!r}")


def _names(code: Codebase, found: Definition) -> Iterator[object]:
    """What a class says its `name` is."""
    module = code.module(found.module)
    for statement in module.bindings[found.name] if module else []:
        for part in statement.body if isinstance(statement, ast.ClassDef) else []:
            match part:
                case (
                    ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=value))
                    | ast.AnnAssign(target=ast.Name(id="name"), value=ast.Constant(value=value))
                ):
                    yield value
