"""The training stream: augmented batches that depend on nothing but (split, seed, step).

Every draw is a function of (seed, purpose, counter), so a resumed run, any number of workers
and any division among ranks give the same bits.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdistill.data.augmentation import Augmentation, augment, cut, place
from segdistill.data.draws import draws
from segdistill.data.splits import Sample, Split
from segdistill.errors import SuiteError

CACHE_BYTES = 2 * 1024**3  # CamVid takes 0.4 GB, Cityscapes would take 25 GB


class Batch(NamedTuple):
    """One rank's part of a training step."""

    images: Tensor  # N 3 H W, uint8 RGB
    labels: Tensor  # N H W, int64, 255 = ignore


def batches(
    split: Split,
    augmentation: Augmentation,
    seed: int,
    batch: int,
    first_step: int,
    steps: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    cache: bool = False,
    pin: bool = False,
) -> Iterator[Batch]:
    """The batches of steps first_step .. steps - 1, in order, as seen by `rank` of `world`.

    `batch` is the global batch size; step s holds samples s * batch .. (s + 1) * batch - 1 of
    the endless shuffled sequence, of which a rank gets its contiguous part. `workers` threads
    read ahead; `cache` keeps decoded samples in memory, up to CACHE_BYTES; `pin` puts batches
    where a GPU can fetch them while it computes. Raises SuiteError if the ranks do not divide
    the batch.
    """
    if batch < 1 or batch % world or not 0 <= rank < world:
        raise SuiteError(
            f"batch size {batch} on rank {rank} of {world}: every rank needs an equal, non-empty "
            f"part; choose a batch size that {world} divides"
        )
    # Results do not depend on OpenCV's threads, but they would compete with the workers.
    cv2.setNumThreads(1)
    order = Order(len(split), seed)
    crops = Crops(split, augmentation, seed, CACHE_BYTES if cache else 0)
    part = batch // world

    def load(step: int) -> Batch:
        first = step * batch + rank * part
        loaded = collate(
            [crops.crop(order.index(counter), counter) for counter in range(first, first + part)]
        )
        return Batch(*(tensor.pin_memory() for tensor in loaded)) if pin else loaded

    jobs = (partial(load, step) for step in range(first_step, steps))
    return _run_ahead(jobs, workers) if workers else (job() for job in jobs)


class Order:
    """The endless sequence of sample indices: a fresh permutation every epoch."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.seed = seed
        self._epochs: dict[int, NDArray[np.intp]] = {}

    def index(self, counter: int) -> int:
        """Which sample comes at place `counter` (from 0)."""
        epoch, place = divmod(counter, self.count)
        permutation = self._epochs.get(epoch)
        if permutation is None:
            # Sorting uniform draws, since NumPy does not promise permutation() for ever.
            keys = draws(self.seed, "order", epoch).random(self.count)
            permutation = np.argsort(keys, kind="stable")
            self._epochs[epoch] = permutation
        return int(permutation[place])


def order_hash(count: int, seed: int, batch: int, steps: int) -> str:
    """sha256 of the indices that `steps` batches visit, as little-endian int64."""
    order = Order(count, seed)
    indices = np.array([order.index(counter) for counter in range(batch * steps)], dtype="<i8")
    return hashlib.sha256(indices.tobytes()).hexdigest()


class Crops:
    """The augmented crops of a split.

    Decoded samples are kept until `capacity` bytes are full; of the others only the rows that a
    crop needs are decoded. Threads that race for one sample both decode it, harmlessly.
    """

    def __init__(
        self, split: Split, augmentation: Augmentation, seed: int, capacity: int = 0
    ) -> None:
        self._split = split
        self._augmentation = augmentation
        self._seed = seed
        self._samples: dict[int, Sample] = {}
        self._room = capacity

    def crop(self, index: int, counter: int) -> Sample:
        """The crop that comes at place `counter`, of sample `index`."""
        sample = self._samples.get(index)
        if sample is None and self._room > 0:
            sample = self._split.read(index)
            self._keep(index, sample)
        if sample is not None:
            return augment(sample, self._augmentation, self._seed, counter)
        placement = place(self._augmentation, self._seed, counter, self._split.size(index))
        rows = placement.rows.source
        band = self._split.read(index, rows)
        return cut(band, placement, self._augmentation.crop, rows.start)

    def _keep(self, index: int, sample: Sample) -> None:
        size = sample.image.nbytes + sample.label.nbytes
        if size <= self._room:
            self._samples[index] = sample  # a thread that lost a race counts it once more
            self._room -= size
        else:
            self._room = 0  # full: from now on no sample is decoded whole


def collate(samples: Sequence[Sample]) -> Batch:
    """The samples as tensors: images N 3 H W, labels N H W."""
    images = np.stack([sample.image.transpose(2, 0, 1) for sample in samples])
    labels = np.stack([sample.label for sample in samples])
    return Batch(torch.from_numpy(images), torch.from_numpy(labels).long())


def _run_ahead(jobs: Iterator[Callable[[], Batch]], workers: int) -> Iterator[Batch]:
    """Results of `jobs` in order, up to two jobs a worker ahead of the consumer.

    Threads suffice: decoding and scaling release the interpreter lock.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="data")
    waiting: deque[Future[Batch]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
