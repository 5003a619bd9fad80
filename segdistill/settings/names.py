"""Names that become parts of paths: refused before a path is made of them."""

from pydantic import TypeAdapter, ValidationError

from segdistill.errors import SuiteError
from segdistill.settings.schema import ProfileName

PROFILE_NAME: TypeAdapter[str] = TypeAdapter(ProfileName)


def is_profile_name(name: str) -> bool:
    """Whether a profile may have this name."""
    try:
        PROFILE_NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def profile_name(name: str) -> str:
    """`name` itself. Raises SuiteError if no profile may have it."""
    if not is_profile_name(name):
        raise SuiteError(
            f"profile {name!r}: a profile is named as its file in experiments/profiles/, without "
            "folder and .yaml, with letters, digits and _ . + -"
        )
    return name


def seed_number(seed: int) -> int:
    """`seed` itself. Raises SuiteError if it is negative."""
    if seed < 0:
        raise SuiteError(f"seed {seed}: a seed is 0 or more")
    return seed
