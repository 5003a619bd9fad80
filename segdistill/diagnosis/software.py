"""Python and the packages that pyproject.toml asks for."""

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from segdistill.diagnosis.finding import Finding

PROJECT = "segdistill"
INSTALL = "pip install -e '.[test]'"


def software_findings() -> Iterator[Finding]:
    """Python's version, then every required package that is absent or of another version."""
    try:
        wanted = metadata(PROJECT)["Requires-Python"] or ""
        requirements = requires(PROJECT) or []
    except PackageNotFoundError:
        yield Finding(PROJECT, "missing", "not installed", INSTALL)
        return
    yield python_finding(platform.python_version(), wanted)
    yield from package_findings(requirements)


def python_finding(found: str, wanted: str) -> Finding:
    """Whether Python `found` satisfies the specifier `wanted`."""
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Finding("python", "ok", found)
    return Finding("python", "missing", f"{found}, not {wanted}", "make an environment with one")


def package_findings(requirements: Iterable[str]) -> Iterator[Finding]:
    """One finding for all packages that fit, and one for each that does not.

    Optional packages (extras) are left out. A local build suffix such as +cpu does not matter.
    """
    fitting = []
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield Finding(requirement.name, "missing", "not installed", INSTALL)
            continue
        if requirement.specifier.contains(found, prereleases=True):
            fitting.append(f"{requirement.name} {found}")
        else:
            # Results would differ in their last bits, or not run at all.
            text = f"{found}, not {requirement.specifier}"
            yield Finding(requirement.name, "missing", text, INSTALL)
    yield Finding("packages", "ok", ", ".join(fitting))
