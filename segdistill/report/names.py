"""What datasets and methods are called in print, so that nothing passes for what it is not."""

from segdistill.data.catalogue import dataset_info
from segdistill.report.matrix import Matrix


def dataset_title(matrix: Matrix, dataset: str) -> str:
    """The dataset's key with "synthetic" or "subset" where it is either."""
    words = ["synthetic"] * is_synthetic(matrix, dataset) + ["subset"] * is_subset(matrix, dataset)
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


def is_subset(matrix: Matrix, dataset: str) -> bool:
    """Whether any result is of a part of the dataset."""
    return any(result.subset for result in matrix.finished(dataset))


def is_reconstructed(matrix: Matrix, method: str) -> bool:
    """Whether any record of the method says it is a reconstruction."""
    found = (result.run for result in matrix.finished() if result.run.method == method)
    return any(run.reconstructed for run in found)
