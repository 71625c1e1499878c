# SPDX-License-Identifier: Apache-2.0
"""The one-slot hand-over."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.cell import Cell


async def test_newest_wins() -> None:
    """A reader that comes late gets the newest item, and the older ones are counted as replaced."""
    cell: Cell[int] = Cell()
    for item in (1, 2, 3):
        cell.put(item)
    assert await cell.take(0.01) == 3
    assert await cell.take(0.01) is None
    assert (cell.put_count, cell.taken_count, cell.replaced_count) == (3, 1, 2)


async def test_waiting_reader_is_woken() -> None:
    """An item that comes while the reader waits is handed over at once."""
    cell: Cell[str] = Cell()
    reader = asyncio.create_task(cell.take(5))
    await asyncio.sleep(0)
    cell.put("new")
    assert await reader == "new"


async def test_close_lets_the_reader_go() -> None:
    """Closing wakes a waiting reader; an item that waits is still handed over, later ones are not."""
    cell: Cell[int] = Cell()
    reader = asyncio.create_task(cell.take(5))
    await asyncio.sleep(0)
    cell.close()
    assert await reader is None

    other: Cell[int] = Cell()
    other.put(1)
    other.close()
    other.put(2)
    assert [await other.take(5), await other.take(5)] == [1, None]
    assert other.replaced_count == 1


@given(st.lists(st.sampled_from(["put", "take"]), max_size=60))
def test_every_item_is_accounted_for(steps: list[str]) -> None:
    """Whatever the order of puts and takes: each item is taken, replaced, or the one that waits; order is kept."""

    async def play() -> None:
        cell: Cell[int] = Cell()
        seen: list[int] = []
        for number, step in enumerate(steps, 1):
            if step == "put":
                cell.put(number)
            elif (item := await cell.take(0)) is not None:
                seen.append(item)
        waiting = cell.put_count - cell.taken_count - cell.replaced_count
        assert waiting in {0, 1}
        assert seen == sorted(seen)
        assert len(seen) == cell.taken_count

    asyncio.run(play())
