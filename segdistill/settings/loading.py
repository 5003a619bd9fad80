"""params.yaml and a profile -> the frozen, validated settings of one cell."""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from segdistill.errors import SuiteError, printable
from segdistill.settings.schema import (
    DataSource,
    Network,
    Params,
    Profile,
    TeacherTraining,
    Training,
)

PARAMS = Path("params.yaml")
PROFILES = Path("experiments/profiles")
INSTALLED = "files"  # below data/DATASET: the dataset as `segdistill data` installs it
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Term:
    """One distillation method of a run with the fields its block sets."""

    method: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the bits of one training."""

    profile: str
    dataset: str
    method: str  # key of the block; "teacher" for the teacher
    seed: int
    data: DataSource
    student: Network  # the network that is trained
    teacher: Network | None  # None: trained without a teacher
    training: Training
    terms: tuple[Term, ...]

    @property
    def source(self) -> Path | None:
        """The file of finished weights that a teacher is taken from instead of being trained."""
        named = self.training.source if isinstance(self.training, TeacherTraining) else None
        return Path(named) if named else None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON values, without where the data lie and what is scored."""
        return {
            "profile": self.profile,
            "dataset": self.dataset,
            "method": self.method,
            "seed": self.seed,
            "data": self.data.model_dump(mode="json", exclude={"root", "evaluate_split"}),
            "student": self.student.model_dump(mode="json"),
            "teacher": self.teacher.model_dump(mode="json") if self.teacher else None,
            "training": self.training.model_dump(mode="json"),
            "terms": [{"method": term.method, "fields": term.fields} for term in self.terms],
        }


def read_params(path: Path = PARAMS) -> Params:
    """The grid. Raises SuiteError naming the file, the key and the nearest known key."""
    return _validate(_read_yaml(path), Params, path)


def read_profile(name: str, folder: Path = PROFILES) -> Profile:
    """The recipes of profile `name`. Raises SuiteError if there is none or a key is unknown."""
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = sorted(found.stem for found in folder.glob("*.yaml"))
        raise SuiteError(f"{path}: no such profile{did_you_mean(name, known)}")
    return _validate(_read_yaml(path), Profile, path)


def student_run(profile_name: str, dataset: str, method: str, seed: int) -> RunConfig:
    """The configuration of one cell of the matrix."""
    profile = read_profile(profile_name)
    terms = method_terms(profile, method, PROFILES / f"{profile_name}.yaml")
    return RunConfig(
        profile=profile_name,
        dataset=dataset,
        method=method,
        seed=seed,
        data=data_source(profile, dataset, profile_name),
        student=profile.networks.student,
        teacher=profile.networks.teacher,
        training=profile.train,
        terms=terms,
    )


def teacher_run(profile_name: str, dataset: str) -> RunConfig:
    """The configuration of a dataset's teacher."""
    profile = read_profile(profile_name)
    training: TeacherTraining = profile.teacher
    if training.source:  # several datasets have several teachers
        source = training.source.replace("{dataset}", dataset)
        training = training.model_copy(update={"source": source})
    return RunConfig(
        profile=profile_name,
        dataset=dataset,
        method="teacher",
        seed=training.seed,
        data=data_source(profile, dataset, profile_name),
        student=profile.networks.teacher,
        teacher=None,
        training=training,
        terms=(),
    )


def method_terms(profile: Profile, key: str, path: Path) -> tuple[Term, ...]:
    """The methods of block `key`: its `method` (a name or a list; default the key) and fields.

    With a list, each method's fields stand in a mapping under its name.
    """
    if key not in profile.methods:
        hint = did_you_mean(key, sorted(profile.methods))
        raise SuiteError(f"{path}: methods: no block {key!r}{hint}")
    block = dict(profile.methods[key])
    methods = block.pop("method", key)
    if isinstance(methods, str):
        return (Term(methods, block),)
    _check_methods(methods, f"{path}: methods.{key}.method")
    if unknown := sorted(set(block) - set(methods)):
        raise SuiteError(
            f"{path}: methods.{key}.{unknown[0]}: with several methods, put each one's fields "
            f"under its name ({', '.join(methods)})"
        )
    return tuple(Term(method, dict(block.get(method) or {})) for method in methods)


def data_root(config: DataSource, dataset: str, variable: str | None, synthetic: bool) -> Path:
    """The dataset's folder: `root` of the recipe, its environment variable, or as installed."""
    if synthetic:
        return Path("data") / dataset
    if config.root:
        return Path(config.root).expanduser()
    if variable and os.environ.get(variable):
        return Path(os.environ[variable]).expanduser()
    installed = Path("data") / dataset / INSTALLED
    if installed.is_dir():
        return installed
    raise SuiteError(
        f"data.{dataset}.root is not set: name the folder there or in the environment "
        f"variable {variable}"
    )


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint to append to an error about an unknown `name`."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"


def _check_methods(methods: Any, where: str) -> None:
    names = isinstance(methods, list) and all(isinstance(name, str) for name in methods)
    if not names or not methods or len(set(methods)) != len(methods):
        raise SuiteError(f"{where}: needs a method's name or a list of different ones")


def data_source(profile: Profile, dataset: str, name: str) -> DataSource:
    """Where `dataset` lies according to profile `name`. Raises SuiteError if it does not say."""
    if dataset not in profile.data:
        hint = did_you_mean(dataset, sorted(profile.data))
        raise SuiteError(f"{PROFILES / name}.yaml: data: no block {dataset!r}{hint}")
    return profile.data[dataset]


def _read_yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        raise SuiteError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from error


def _validate(value: Any, model: type[M], path: Path) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # A misspelt key is also a missing one; the misspelling is what to mend.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        where = printable(".".join(str(part) for part in first["loc"])) or "the file"
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(str(first["loc"][-1]), _known_keys(model, first["loc"][:-1]))
            raise SuiteError(f"{path}: {where}: unknown key{hint}") from error
        raise SuiteError(f"{path}: {where}: {first['msg']}") from error


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Field names of the settings model that lies at `location` inside `model`."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for kind in candidates:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
    return sorted(model.model_fields)
