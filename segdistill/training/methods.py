"""From a block of the recipe to the distiller it describes."""

from pydantic import TypeAdapter, ValidationError

from segdistill.distill import Distiller, NetSpec, UnknownMethodError, load
from segdistill.errors import SuiteError, did_you_mean
from segdistill.settings.loading import Term


def build_method(term: Term, student: NetSpec, teacher: NetSpec) -> Distiller:
    """The distiller of `term`, its fields checked. Raises SuiteError for an unknown one."""
    try:
        method = load(term.method)
    except UnknownMethodError as error:
        raise SuiteError(f"methods: {error}") from error
    known = sorted(method.Config.__dataclass_fields__)
    for field in term.fields:
        if field not in known:
            raise SuiteError(f"methods.{term.method}.{field}: unknown{did_you_mean(field, known)}")
    try:
        config = TypeAdapter(method.Config).validate_python(term.fields)
        return method(config, student, teacher)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([term.method, *(str(part) for part in first["loc"])])
        raise SuiteError(f"methods.{where}: {first['msg']}") from error
    except ValueError as error:
        raise SuiteError(f"methods.{term.method}: {error}") from error
