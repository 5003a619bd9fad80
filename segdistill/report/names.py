"""What datasets and methods are called in print, so that nothing passes for what it is not."""

from segdistill.data.catalogue import dataset_info
from segdistill.report.tables.matrix import Finished, Matrix


def dataset_title(matrix: Matrix, dataset: str) -> str:
    """The dataset's key with "synthetic" or "subset" where it is either."""
    subset = any(is_subset(result) for result in matrix.finished(dataset))
    words = ["synthetic"] * is_synthetic(matrix, dataset) + ["subset"] * subset
    return f"{dataset} ({', '.join(words)})" if words else dataset


def method_title(matrix: Matrix, method: str) -> str:
    """The method's key, with "(reconstructed)" where no full text or code was open."""
    return f"{method} (reconstructed)" if is_reconstructed(matrix, method) else method


def is_synthetic(matrix: Matrix, dataset: str) -> bool:
    """Whether the dataset is drawn, by the catalogue or by any record."""
    found = matrix.finished(dataset)
    return dataset_info(dataset).synthetic or any(
        result.run.synthetic or result.scores.synthetic for result in found
    )


def is_subset(result: Finished) -> bool:
    """Whether the run or its evaluation saw only a part of the dataset."""
    return result.run.subset or result.scores.subset


def is_reconstructed(matrix: Matrix, method: str) -> bool:
    """Whether any record of the method says it is a reconstruction."""
    return any(
        result.run.reconstructed
        for dataset in matrix.grid.datasets
        for result in matrix.of(dataset, method).values()
    )
