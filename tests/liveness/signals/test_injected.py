# SPDX-License-Identifier: Apache-2.0
"""The stream that comes too evenly, and those that do not."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.signals.injected import (
    EVEN,
    FILED,
    HINT_NATS,
    HINT_S,
    LEAST_STEPS,
    TOLD,
    UNEVEN,
    YOUNG,
    InjectedStream,
)
from monitor.policy.profiles import PROFILES
from monitor.values import NO_CONTEXT, Context, Evidence, Stamps, StreamFacts
from tests.fakes.timeline import crop

PER_S = 5.0


def stream(seconds: float, even: int, steps: int = 6, start_s: float = 0.0) -> list[tuple[float, Stamps]]:
    """Looks at a stream of 30 pictures a second, `even` of each look's `steps` being so."""
    return [(start_s + index / PER_S, Stamps(steps, even)) for index in range(int(seconds * PER_S))]


def looks(seen: Iterable[tuple[float, Stamps]], cue: InjectedStream | None = None) -> list[Evidence]:
    """What a cue says of each look."""
    cue = cue or InjectedStream()
    return [cue.look(crop(at_s), Context(StreamFacts(stamps=stamps))) for at_s, stamps in seen]


def spoken(words: Iterable[Evidence]) -> list[Evidence]:
    """The words that count."""
    return [word for word in words if word.reliability > 0]


def nats(words: Iterable[Evidence]) -> float:
    """What the policy adds up."""
    return sum(word.llr_nats * word.reliability for word in words) / PER_S


def test_an_even_stream_is_hinted_at_once_it_was_seen_long_enough():
    """It speaks after LEAST_STEPS, with the share as its measure and kinds that sum to 1."""
    words = looks(stream(30.0, even=6))
    first = spoken(words)[0]
    assert first.media_s == pytest.approx(LEAST_STEPS / 30 - 1 / PER_S)
    assert (first.sentence, first.measure) == (EVEN, 1.0)
    assert sum(first.kinds.values()) == pytest.approx(1.0)
    assert words[0].sentence == YOUNG


def test_the_hint_counts_once_however_long_the_call():
    """An hour of even pictures says no more than a few seconds, and far less than an alert takes."""
    words = looks(stream(3600.0, even=6))
    assert nats(words) == pytest.approx(HINT_NATS * HINT_S, rel=0.15)
    assert nats(words) < 0.25 * min(point.raise_nats(1) for point in PROFILES.values())
    assert words[-1].sentence == TOLD


def test_a_browser_is_not():
    """Uneven steps are no evidence for a camera either."""
    words = looks(stream(60.0, even=0))
    assert not spoken(words)
    assert (words[-1].sentence, words[-1].measure) == (UNEVEN, 0.0)


def test_a_file_has_no_timing():
    """`scan` reads files, which are even by construction: nothing is said, nor measured."""
    cue = InjectedStream()
    words = [cue.look(crop(index / PER_S), NO_CONTEXT) for index in range(600)]
    assert {(word.reliability, word.sentence, word.measure) for word in words} == {(0.0, FILED, None)}


def test_gaps_and_times_that_jump_begin_anew():
    """Neither a gap, nor time that runs back, nor a stream that pauses every few seconds lets half counts add up."""
    cue = InjectedStream()
    pieces = [stream(8.0, even=6, start_s=start_s) for start_s in (0.0, 100.0, 50.0, 200.0)]
    assert not spoken(word for piece in pieces for word in looks(piece, cue))


def test_slow_streams_take_longer():
    """Two pictures a second: 300 steps are 150 s."""
    words = looks([(index / 2, Stamps(1, 1)) for index in range(400)])
    assert spoken(words)[0].media_s == pytest.approx(LEAST_STEPS / 2 - 0.5)


@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6),
            st.one_of(
                st.none(), st.integers(0, 200).flatmap(lambda n: st.builds(Stamps, st.just(n), st.integers(0, n)))
            ),
        ),
        max_size=60,
    )
)
def test_any_order_of_gaps_keeps_the_bounds(seen: list[tuple[float, Stamps | None]]):
    """Whatever comes, no more than the hint is ever said, and no state is kept beyond a handful of numbers."""
    cue = InjectedStream()
    words = [cue.look(crop(at_s), Context(StreamFacts(stamps=stamps))) for at_s, stamps in seen]
    assert all(0.0 <= (word.measure or 0.0) <= 1.0 for word in words)
    assert all(isinstance(kept, float | int | None) for kept in vars(cue).values())
