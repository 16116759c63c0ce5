"""Several processes that train one model, each on batches of its own: gradients are averaged, and what one
decides all do.

Which processes there are is told by `accelerate`, which reads it from `torchrun` or `accelerate launch`; where
it is not installed there is one. Knows nothing about what is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")


class Team:
    """The processes of one training; `first` is the one that writes."""

    def __init__(self) -> None:
        self.size, self.rank = 1, 0
        if find_spec("accelerate") is not None:
            from accelerate import PartialState

            state: Any = PartialState(cpu=True)
            self.size, self.rank = state.num_processes, state.process_index

    @property
    def first(self) -> bool:
        return self.rank == 0

    def after_first(self, work: Callable[[], T]) -> T:
        """Does the work in the first process and then in the others, which find what it wrote."""
        if not self.first:
            self.wait()
        done = work()
        if self.first:
            self.wait()
        return done

    def wait(self) -> None:
        """Returns when all processes have come so far."""
        if self.size > 1:
            import torch.distributed as processes

            processes.barrier()

    def as_first(self, *values: float) -> tuple[float, ...]:
        """What the first process has for these."""
        if self.size == 1:
            return values
        import torch
        import torch.distributed as processes

        told = torch.tensor(values, dtype=torch.float64)
        processes.broadcast(told, src=0)
        return tuple(told.tolist())

    def average_gradients(self, model: Any) -> None:
        """Puts the mean over all processes in the place of each gradient."""
        if self.size == 1:
            return
        import torch
        import torch.distributed as processes

        found = [p.grad for p in model.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in found])
        processes.all_reduce(flat)
        flat /= self.size
        at = 0
        for gradient in found:
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()
