# SPDX-License-Identifier: Apache-2.0
"""Slots and the state behind them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.pool import Slots, StatePool


def zeros(tracks: int) -> tuple[torch.Tensor, ...]:
    """State of two kinds."""
    return torch.zeros(tracks, 2), torch.zeros(tracks, dtype=torch.int64)


def test_a_track_keeps_its_slot():
    """The same track has the same slot in every batch, and is fresh only once."""
    slots: Slots[str] = Slots(4)
    first = slots.lease(["a", "b"])
    second = slots.lease(["b", "a"])
    assert second.slots == first.slots[::-1]
    assert (len(first.fresh), second.fresh) == (2, ())


def test_a_full_pool_restarts_the_track_that_waited_longest():
    """The least recently used track loses its slot, is counted, and starts anew when it returns."""
    slots: Slots[str] = Slots(2)
    slots.lease(["a"])
    slots.lease(["b"])
    slots.lease(["a"])
    lease = slots.lease(["c"])
    assert slots.restarted == 1
    assert slots.lease(["b"]).fresh
    assert len(slots) == 2
    assert lease.fresh == lease.slots


def test_tracks_of_the_batch_are_never_evicted_for_each_other():
    """A batch as large as the pool has a slot for each of its tracks, known or new."""
    slots: Slots[str] = Slots(3)
    slots.lease(["old", "older", "a"])
    lease = slots.lease(["new", "a", "newer"])
    assert sorted(lease.slots) == [0, 1, 2]


def test_a_forgotten_track_starts_anew():
    """Forgetting frees the slot, and says nothing when there is none."""
    slots: Slots[str] = Slots(2)
    slots.lease(["a"])
    slots.forget(lambda key: key == "a")
    slots.forget(lambda key: key == "unknown")
    assert len(slots) == 0
    assert slots.lease(["a"]).fresh


@given(st.lists(st.sets(st.integers(0, 9), max_size=4) | st.integers(0, 9), max_size=60))
def test_no_slot_is_ever_shared_or_lost(script):
    """Whatever comes and goes, each track in a batch has a slot of its own, and none leaks."""
    slots: Slots[int] = Slots(4)
    for act in script:
        if isinstance(act, int):
            slots.forget(lambda key, gone=act: key == gone)
            continue
        lease = slots.lease(sorted(act))
        assert len(set(lease.slots)) == len(act)
        assert set(lease.fresh) <= set(lease.slots) <= {0, 1, 2, 3}
        assert len(slots) <= 4


def test_state_comes_back_as_it_was_stored():
    """Scatter then gather, in any order of slots."""
    pool = StatePool(zeros, 4)
    pool.scatter(torch.tensor([3, 1]), (torch.tensor([[3.0, 3.0], [1.0, 1.0]]), torch.tensor([30, 10])))
    first, second = pool.gather(torch.tensor([1, 3, 0]))
    assert first.tolist() == [[1, 1], [3, 3], [0, 0]]
    assert second.tolist() == [10, 30, 0]


def test_reset_touches_only_its_slots():
    """A new track starts from nothing; its neighbours keep what they know."""
    pool = StatePool(zeros, 3)
    pool.scatter(torch.tensor([0, 1, 2]), (torch.ones(3, 2), torch.ones(3, dtype=torch.int64)))
    pool.reset([1])
    pool.reset([])
    assert pool.gather(torch.tensor([0, 1, 2]))[1].tolist() == [1, 0, 1]


def test_memory_is_taken_once():
    """The pool's size is that of its slots, whatever happens in them."""
    pool = StatePool(zeros, 16)
    assert pool.bytes == 16 * (2 * 4 + 8)
    assert pool.device == torch.device("cpu")


def test_state_of_another_shape_is_refused():
    """A network that returns too few tensors is a bug that must be seen."""
    pool = StatePool(zeros, 2)
    with pytest.raises(ValueError, match="shorter"):
        pool.scatter(torch.tensor([0]), (torch.zeros(1, 2),))
