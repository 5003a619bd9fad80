"""Start a new method as a copy of the smallest complete one."""

import keyword
import re
from pathlib import Path

import baselines
from segdistill.distill import method_names, template
from segdistill.errors import SuiteError


def write_method(name: str, folder: Path | None = None) -> Path:
    """Copy the template to `folder`/NAME.py (default: baselines/) under the new name.

    Raises SuiteError if `name` is no lower-case identifier, is taken, or the file exists.
    """
    folder = folder or Path(baselines.__path__[0])
    _check_name(name)
    path = folder / f"{name}.py"
    if not folder.is_dir():
        raise SuiteError(f"{folder}: no such folder; create it or leave --into out")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_source(name))
    except FileExistsError as error:
        raise SuiteError(f"{path}: exists already; choose another name or delete it") from error
    except OSError as error:
        raise SuiteError(f"{path}: cannot write ({error.strerror})") from error
    return path


def _check_name(name: str) -> None:
    usable = name.isidentifier() and name.isascii() and name[0].isalpha() and name == name.lower()
    if not usable or keyword.iskeyword(name):
        raise SuiteError(
            f"method name {name!r}: use lower-case letters, digits and underscores, a letter first"
        )
    if name in method_names():
        raise SuiteError(f"method name {name!r}: taken; choose another")


def _source(name: str) -> str:
    title = "".join(part.capitalize() for part in name.split("_"))
    source = Path(template.__file__).read_text(encoding="utf-8")
    first, _, rest = source.partition("\n")
    del first  # it speaks of the template itself
    body = re.sub(r"\bTemplate\b", title, rest).replace('name = "template"', f'name = "{name}"')
    return f'"""{title}: what it matches, in one sentence."""\n{body}'
