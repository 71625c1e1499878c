# SPDX-License-Identifier: Apache-2.0
"""The newest letter of each topic wins, and nothing is forgotten before it was answered."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitor.publish.letter import Letter
from monitor.publish.retained import Retained

TOPICS = st.sampled_from(["a", "b", "c", "d"])


def letter(topic: str, payload: bytes) -> Letter:
    """A retained letter."""
    return Letter(topic, payload, retain=True)


async def test_newest_wins_while_the_broker_is_away() -> None:
    """A hundred verdicts of one topic are one letter to send, the last."""
    retained = Retained(10)
    for n in range(100):
        retained.put(letter("a", b"%d" % n))
    assert [one.payload for one in retained.oldest(64)] == [b"99"]


async def test_a_letter_replaced_while_it_is_sent_stays_pending() -> None:
    """Settling an old letter does not settle the newer one."""
    retained = Retained(10)
    retained.put(letter("a", b"old"))
    sent = retained.oldest(64)
    retained.put(letter("a", b"new"))
    retained.settle(sent)
    assert [one.payload for one in retained.oldest(64)] == [b"new"]


async def test_everything_is_sent_again_after_a_reconnect_but_not_what_was_emptied() -> None:
    """`again` brings back what is wanted, in its first order; an emptied topic is gone once accepted."""
    retained = Retained(10)
    for topic in "abc":
        retained.put(letter(topic, b"x"))
    retained.settle(retained.oldest(64))
    retained.empty("b")
    retained.settle(retained.oldest(64))
    retained.again()
    assert [one.topic for one in retained.oldest(64)] == ["a", "c"]
    assert retained.waiting.is_set()


async def test_topics_are_bounded() -> None:
    """A topic too many is counted, not kept."""
    retained = Retained(2)
    for topic in "abcd":
        retained.put(letter(topic, b"x"))
    assert len(retained) == 2
    assert retained.dropped == 2


class RetainedModel(RuleBasedStateMachine):
    """Against a plain dictionary: the broker ends up with the newest of each topic, whatever order things happen in."""

    def __init__(self) -> None:
        super().__init__()
        self.retained = Retained(100)
        self.wanted: dict[str, bytes] = {}
        self.broker: dict[str, bytes] = {}
        self.counter = 0

    @rule(topic=TOPICS)
    def put(self, topic: str) -> None:
        """A new verdict."""
        self.counter += 1
        self.wanted[topic] = b"%d" % self.counter
        self.retained.put(letter(topic, self.wanted[topic]))

    @rule(topic=TOPICS)
    def empty(self, topic: str) -> None:
        """A participant leaves."""
        self.wanted[topic] = b""
        self.retained.empty(topic)

    @rule(limit=st.integers(1, 3), lost=st.booleans())
    def send(self, limit: int, *, lost: bool) -> None:
        """A batch is sent, or lost on the way, after which everything is sent again."""
        sent = self.retained.oldest(limit)
        if lost:
            self.retained.again()
            return
        self.broker.update({one.topic: one.payload for one in sent})
        self.retained.settle(sent)

    @invariant()
    def what_is_settled_is_what_is_wanted(self) -> None:
        """A topic that is not pending has its newest payload at the broker."""
        pending = {one.topic for one in self.retained.oldest(100)}
        for topic, payload in self.wanted.items():
            if topic not in pending:
                assert self.broker.get(topic, b"") == payload
        assert self.retained.waiting.is_set() == bool(pending)


TestRetainedModel = RetainedModel.TestCase
