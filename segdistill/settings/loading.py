"""An experiment's params.yaml -> the frozen, checked settings of one cell.

Everything that can be wrong in the file is found here, before torch starts.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from segdistill.errors import SuiteError, did_you_mean, printable
from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.methods import resolved_options
from segdistill.settings.schema import DataSource, Experiment, Network, TeacherTraining, Training

PARAMS = Path("params.yaml")  # of the default experiment
EXPERIMENTS = Path("experiments")  # NAME/params.yaml of every other one
INSTALLED = "files"  # below data/DATASET: the dataset as `segdistill data` installs it


@dataclass(frozen=True)
class Term:
    """One distillation method of a run with all its options."""

    method: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the bits of one training."""

    cell: Cell
    data: DataSource
    student: Network  # the network that is trained
    teacher: Network | None  # None: trained without a teacher
    training: Training
    terms: tuple[Term, ...]

    @property
    def experiment(self) -> str:
        """The cell's experiment."""
        return self.cell.experiment

    @property
    def dataset(self) -> str:
        """The cell's data set."""
        return self.cell.dataset

    @property
    def method(self) -> str:
        """The cell's method."""
        return self.cell.method

    @property
    def seed(self) -> int:
        """The seed of all draws: the cell's, or that of the teacher's training."""
        training = self.training
        return training.seed if isinstance(training, TeacherTraining) else self.cell.seed

    @property
    def source(self) -> Path | None:
        """The file of finished weights that a teacher is taken from instead of being trained."""
        named = self.training.source if isinstance(self.training, TeacherTraining) else None
        return Path(named) if named else None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON values, without what is scored."""
        return {
            "experiment": self.cell.experiment,
            "dataset": self.cell.dataset,
            "method": self.cell.method,
            "seed": self.seed,
            "data": self.data.model_dump(mode="json", exclude={"evaluate_split"}),
            "student": self.student.model_dump(mode="json"),
            "teacher": self.teacher.model_dump(mode="json") if self.teacher else None,
            "training": self.training.model_dump(mode="json"),
            "terms": [{"method": term.method, "fields": term.fields} for term in self.terms],
        }


def params_path(name: str | None = None) -> Path:
    """The params.yaml of experiment `name`; None: of the default one.

    Raises SuiteError if there is no such experiment.
    """
    if name is None or name == default_name():
        return PARAMS
    path = EXPERIMENTS / name / "params.yaml"
    if Path(name).name != name or not path.is_file():
        hint = did_you_mean(name, experiment_names())
        raise SuiteError(f"experiment {name!r}: there is no {path}{hint}")
    return path


def pipeline_of(name: str) -> str:
    """What the names of an experiment's stages begin with, seen from the top."""
    path = params_path(name)
    return "" if path == PARAMS else f"{path.with_name('dvc.yaml')}:"


def default_name() -> str | None:
    """The name of the experiment whose params.yaml lies at the top, if there is one."""
    if not PARAMS.is_file():
        return None
    found = _read_yaml(PARAMS)
    name = found.get("experiment") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def experiment_names() -> list[str]:
    """All experiments, the default one first."""
    others = sorted(path.parent.name for path in EXPERIMENTS.glob("*/params.yaml"))
    return [*filter(None, [default_name()]), *others]


def read_experiment(name: str | None = None) -> Experiment:
    """Experiment `name`, checked; None: the default one.

    Raises SuiteError naming the file, the key and the nearest known key.
    """
    path = params_path(name)
    found = _validate(_read_yaml(path), Experiment, path)
    if path != PARAMS and found.name != path.parent.name:
        raise SuiteError(f"{path}: experiment: {found.name!r} is not the folder's name")
    for method in found.methods:
        method_terms(found, method)
    for dataset in found.datasets:
        _data_source(found, dataset)
    return found


def run_config(cell: Cell) -> RunConfig:
    """The settings of a cell. Raises SuiteError if its experiment holds no such cell."""
    experiment = read_experiment(cell.experiment)
    return (
        teacher_run(experiment, cell.dataset) if cell.is_teacher else student_run(experiment, cell)
    )


def student_run(experiment: Experiment, cell: Cell) -> RunConfig:
    """The settings of a student."""
    if cell.seed < 0:
        raise SuiteError(f"seed {cell.seed}: a seed is 0 or more")
    return RunConfig(
        cell=cell,
        data=_data_source(experiment, cell.dataset),
        student=experiment.networks.student,
        teacher=experiment.networks.teacher,
        training=experiment.train,
        terms=method_terms(experiment, cell.method),
    )


def teacher_run(experiment: Experiment, dataset: str) -> RunConfig:
    """The settings of a data set's teacher."""
    training: TeacherTraining = experiment.teacher
    if training.source:  # several datasets have several teachers
        source = training.source.replace("{dataset}", dataset)
        training = training.model_copy(update={"source": source})
    return RunConfig(
        cell=Cell(experiment.name, dataset, TEACHER, 0),
        data=_data_source(experiment, dataset),
        student=experiment.networks.teacher,
        teacher=None,
        training=training,
        terms=(),
    )


def method_terms(experiment: Experiment, key: str) -> tuple[Term, ...]:
    """The methods of block `key`: its `method` (a name or a list; default the key) and fields.

    With a list, each method's fields stand in a mapping under its name. All options are resolved.
    Raises SuiteError if there is no such block, method or option.
    """
    if key not in experiment.options:
        hint = did_you_mean(key, sorted(experiment.options))
        raise _refusal(experiment, f"options: no block {key!r}{hint}")
    block = dict(experiment.options[key])
    methods = block.pop("method", key)
    if isinstance(methods, str):
        blocks = {methods: block}
    else:
        blocks = _several(experiment, key, methods, block)
    try:
        return tuple(Term(name, resolved_options(name, own)) for name, own in blocks.items())
    except SuiteError as error:
        raise _refusal(experiment, f"options.{key}: {error}") from error


def _several(
    experiment: Experiment, key: str, methods: Any, block: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    names = isinstance(methods, list) and all(isinstance(name, str) for name in methods)
    if not names or not methods or len(set(methods)) != len(methods):
        needed = "needs a method's name or a list of different ones"
        raise _refusal(experiment, f"options.{key}.method: {needed}")
    if unknown := sorted(set(block) - set(methods)):
        mend = f"put each one's fields under its name ({', '.join(methods)})"
        place = f"options.{key}.{unknown[0]}"
        raise _refusal(experiment, f"{place}: with several methods, {mend}")
    return {name: dict(block.get(name) or {}) for name in methods}


def _refusal(experiment: Experiment, text: str) -> SuiteError:
    """An error in an experiment's file, whose path takes a reading of its own to know."""
    return SuiteError(f"{params_path(experiment.name)}: {text}")


def data_root(dataset: str, variable: str | None, synthetic: bool) -> Path:
    """The dataset's folder: where it is drawn, its environment variable's, or as installed."""
    if synthetic:
        return Path("data") / dataset
    if variable and os.environ.get(variable):
        return Path(os.environ[variable]).expanduser()
    installed = Path("data") / dataset / INSTALLED
    if installed.is_dir():
        return installed
    raise SuiteError(
        f"data set {dataset}: not installed; `segdistill data {dataset}` installs it, or name its "
        f"folder in the environment variable {variable}"
    )


def _data_source(experiment: Experiment, dataset: str) -> DataSource:
    """How an experiment reads `dataset`. Raises SuiteError if it does not say."""
    if dataset not in experiment.data:
        hint = did_you_mean(dataset, sorted(experiment.data))
        raise _refusal(experiment, f"data: no block {dataset!r}{hint}")
    return experiment.data[dataset]


def _read_yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        raise SuiteError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from error


def _validate(value: Any, model: type[Experiment], path: Path) -> Experiment:
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
    return sorted(field.alias or name for name, field in model.model_fields.items())
