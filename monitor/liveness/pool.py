# SPDX-License-Identifier: Apache-2.0
"""Track names in, slots of one pre-allocated state tensor per kind out."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

__all__ = ["Lease", "Slots", "StatePool"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Lease:
    """Slots of one batch, in the order of its tracks; `fresh` ones belong to tracks that start anew."""

    slots: tuple[int, ...]
    fresh: tuple[int, ...]


class Slots(Generic[Key]):
    """Which track has which slot; a track keeps its slot until it is forgotten or has waited longest in a full pool.

    A track that lost its slot starts anew when it comes again; `restarted` counts the slots taken away.
    """

    def __init__(self, count: int) -> None:
        self.restarted = 0
        self._free = list(range(count - 1, -1, -1))
        self._taken: OrderedDict[Key, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._taken)

    def __contains__(self, key: object) -> bool:
        return key in self._taken

    def lease(self, keys: Sequence[Key]) -> Lease:
        """Slots for different tracks, at most as many as the pool has."""
        known = [key for key in keys if key in self._taken]
        for key in known:
            self._taken.move_to_end(key)
        fresh = [self._take(key) for key in keys if key not in self._taken]
        return Lease(tuple(self._taken[key] for key in keys), tuple(fresh))

    def forget(self, drop: Callable[[Key], bool]) -> None:
        """Free the slots of the tracks that `drop` names."""
        for key in [key for key in self._taken if drop(key)]:
            self._free.append(self._taken.pop(key))

    def _take(self, key: Key) -> int:
        if not self._free:
            _, slot = self._taken.popitem(last=False)
            self._free.append(slot)
            self.restarted += 1
        slot = self._free.pop()
        self._taken[key] = slot
        return slot


class StatePool:
    """State of all tracks: one tensor per kind of state, its dimension 0 is the slot."""

    def __init__(self, new_state: Callable[[int], Iterable[Tensor]], count: int) -> None:
        self._new_state = new_state
        self._state = tuple(new_state(count))

    @property
    def bytes(self) -> int:
        """Memory held, whatever the number of tracks."""
        return sum(tensor.element_size() * tensor.nelement() for tensor in self._state)

    @property
    def device(self) -> torch.device:
        """Where the state lies and the crops must go."""
        return self._state[0].device

    def reset(self, slots: Sequence[int]) -> None:
        """Put slots back to the state of a track that was never seen."""
        if slots:
            self.scatter(torch.tensor(slots, device=self.device), tuple(self._new_state(len(slots))))

    def gather(self, slots: Tensor) -> tuple[Tensor, ...]:
        """Copies of the state of `slots` int64 [B] on the pool's device, in their order."""
        return tuple(tensor.index_select(0, slots) for tensor in self._state)

    def scatter(self, slots: Tensor, state: Sequence[Tensor]) -> None:
        """Store the state of `slots` int64 [B], in their order."""
        for tensor, new in zip(self._state, state, strict=True):
            tensor.index_copy_(0, slots, new.to(tensor.dtype))
