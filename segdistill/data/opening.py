"""The images that a recipe trains or scores on: which folder, which split, how many of it."""

from segdistill.data.catalogue import dataset_info
from segdistill.data.splits import Split, open_split
from segdistill.errors import SuiteError
from segdistill.settings.loading import data_root
from segdistill.settings.schema import DataSource


def open_data(dataset: str, source: DataSource, split: str) -> Split:
    """A split of the dataset as the recipe limits it.

    Raises SuiteError if its files are not there.
    """
    info = dataset_info(dataset)
    root = data_root(dataset, info.root_variable, info.synthetic)
    if info.synthetic and not any(path.is_dir() for path in root.glob("*")):
        raise SuiteError(f"{root}: the drawn images are gone; `segdistill data {dataset}`")
    limit = {"val": source.limit.val, "test": source.limit.test}.get(split, source.limit.train)
    return open_split(dataset, root, split, limit)
