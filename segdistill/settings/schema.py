"""The schema of an experiment's params.yaml."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

# No hyphen, by which stages' names are joined; no dot, by which DVC takes a key of a key.
Part = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+]*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]
Seed = Annotated[int, Field(ge=0, strict=True)]


class Settings(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Statistics(Settings):
    """How intervals are computed."""

    resamples: PositiveInt = 10_000
    confidence: float = Field(0.95, gt=0.5, lt=1)
    seed: Seed = 0


class Network(Settings):
    """A segmentation network: decoder on backbone, built by mmsegmentation."""

    decoder: Literal["pspnet", "deeplabv3", "deeplabv3plus", "fcn"]
    backbone: Literal["resnet", "mobilenet_v2"]
    depth: Literal[18, 34, 50, 101, 152] | None = None  # resnet only
    # resnet: channels of the first stage. Below 8, oneDNN's AVX2 kernel for the gradient of a
    # strided 1x1 convolution on channels-last input writes past its buffer (torch 2.13).
    width: int = Field(64, ge=8)
    widen: float = Field(1.0, gt=0)  # mobilenet_v2: multiplier of every width
    output_stride: Literal[8, 16, 32] = 8
    head_width: PositiveInt = 512
    dropout: float = Field(0.1, ge=0, lt=1)
    auxiliary: bool = True
    pretrained: str | None = None  # name of a backbone, see `segdistill weights`


class Training(Settings):
    """One training; the batch size is global, over all devices and parts."""

    steps: PositiveInt
    batch: PositiveInt
    learning_rate: float = Field(gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(1e-4, ge=0)
    power: float = Field(0.9, ge=0)  # of the poly schedule
    warmup: int = Field(0, ge=0)  # steps of linear warm-up
    auxiliary_weight: float = Field(0.4, ge=0)
    scale: tuple[float, float] = (0.5, 2.0)
    flip: float = Field(0.5, ge=0, le=1)
    precision: Literal["fp32", "bf16"] = "fp32"
    teacher_precision: Literal["fp32", "bf16"] = "fp32"
    determinism: Literal["exact", "seeded", "fast"] = "exact"
    threads: PositiveInt = 1
    devices: PositiveInt = 1  # processes that share a batch, one device each
    accumulate: PositiveInt = 1  # parts of a batch that go through the network one by one
    log_every: PositiveInt = 10
    gradients_every: int = Field(20, ge=0)  # logged rows from one gradient norm to the next

    @model_validator(mode="after")
    def _divisible(self) -> "Training":
        parts = self.devices * self.accumulate
        if self.batch % parts:
            raise ValueError(
                f"batch {self.batch} cannot be divided among {self.devices} devices x "
                f"{self.accumulate} parts"
            )
        return self


class TeacherTraining(Training):
    """The teacher's training, or where its finished weights come from."""

    seed: Seed = 0
    source: str | None = None  # a safetensors file to import instead; {dataset} is filled in


class Evaluation(Settings):
    """How a finished network is scored."""

    pictures: int = Field(4, ge=0)
    latency_runs: int = Field(10, ge=0)
    threads: PositiveInt = 1


class Execution(Settings):
    """How work is carried out; changes no result and is part of no fingerprint."""

    cohort: bool = False  # train all unfinished cells of a dataset in one go
    processes: PositiveInt = 1  # processes that share a dataset's cohorts
    checkpoint_every: PositiveInt = 200
    workers: int = Field(0, ge=0)  # loader threads
    cache: bool = True  # keep decoded images in memory


class Limits(Settings):
    """A subset of each split, spread evenly over it; results are then called a subset."""

    train: PositiveInt | None = None
    val: PositiveInt | None = None
    test: PositiveInt | None = None


class DataSource(Settings):
    """How a dataset is cropped, and which of its splits are read."""

    crop: tuple[PositiveInt, PositiveInt]
    train_split: str = "train"
    evaluate_split: str = "test"
    limit: Limits = Limits()


class Networks(Settings):
    """The pair."""

    teacher: Network
    student: Network


class Experiment(Settings):
    """One experiment, its params.yaml: which cells exist, and how each is made."""

    name: Name = Field(alias="experiment")
    about: str
    note: str  # printed under every table, such as how short a schedule was
    datasets: tuple[Part, ...] = Field(min_length=1)
    methods: tuple[Part, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(min_length=1)
    data: dict[str, DataSource]
    networks: Networks
    teacher: TeacherTraining
    train: Training
    evaluate: Evaluation
    execution: Execution
    statistics: Statistics = Statistics()
    options: dict[str, dict[str, Any]]  # of every method

    @field_validator("datasets", "methods", "seeds")
    @classmethod
    def _distinct(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(values)) != len(values):
            raise ValueError("an entry is listed twice")
        return values

    @field_validator("methods")
    @classmethod
    def _students(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if "teacher" in values:
            raise ValueError("'teacher' names the teacher's results; give the block another name")
        return values
