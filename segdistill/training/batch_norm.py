"""Batch normalisation over the whole batch of several processes."""

import torch
import torch.distributed.nn.functional as collectives
from torch import Tensor, nn


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm with the statistics of all ranks' images, for devices that torch's
    SyncBatchNorm refuses, such as the CPU.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's own name
        """N C H W to the same, normalised by the mean and biased variance over all ranks."""
        if not self.training:
            return super().forward(input)
        count = torch.tensor([input.numel() / input.shape[1]], device=input.device)
        sums = _over_ranks(torch.cat([input.sum(dim=(0, 2, 3)), count.to(input.dtype)]))
        mean, count = sums[:-1] / sums[-1], sums[-1].detach()
        centred = input - mean[:, None, None]
        variance = _over_ranks(centred.square().sum(dim=(0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale[:, None, None] + self.bias[:, None, None]

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1


def share_batch_norm(net: nn.Module, device: torch.device) -> nn.Module:
    """`net` with every BatchNorm2d normalising over all ranks; parameters and names stay."""
    if device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        return converted
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm2d):
            shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(net, name, shared.train(child.training))
        else:
            share_batch_norm(child, device)
    return net


def _over_ranks(values: Tensor) -> Tensor:
    summed: Tensor = collectives.all_reduce(values)  # type: ignore[no-untyped-call]
    return summed
