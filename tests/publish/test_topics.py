# SPDX-License-Identifier: Apache-2.0
"""Topics are built, read back, and refuse what is no id."""

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import IdError
from monitor.publish.topics import ADDRESSES, Address, Channel, Topics

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
ROOTS = st.from_regex(r"[a-z]{1,8}(/[a-z0-9]{1,8}){0,3}/?", fullmatch=True)
LEVELS = st.text(st.sampled_from("az09_-/+# é\x00"), max_size=70)


def addresses() -> st.SearchStrategy[Address]:
    """Addresses of every channel."""
    return st.one_of(
        st.builds(Address, st.just(Channel.NODE), node=IDS),
        st.builds(Address, st.just(Channel.CALL), call=IDS),
        st.builds(Address, st.just(Channel.VERDICT), call=IDS, participant=IDS),
        st.builds(Address, st.just(Channel.ALERT), call=IDS),
        st.builds(Address, st.just(Channel.CHALLENGE), call=IDS, participant=IDS),
    )


@given(ROOTS, addresses())
def test_a_topic_reads_back_as_its_address(root: str, address: Address) -> None:
    """What is built under any root is parsed to the same address."""
    topics = Topics(root)
    assert topics.parse(topics.build(address)) == address


@given(addresses())
def test_every_topic_matches_one_subscription_filter(address: Address) -> None:
    """The filters of `everything` cover every topic, each exactly once."""
    topics = Topics("lifesign/v1")
    topic = aiomqtt.Topic(topics.build(address))
    assert sum(topic.matches(filter_) for filter_ in topics.everything()) == 1


@given(LEVELS)
def test_anything_else_is_not_ours(rest: str) -> None:
    """Foreign topics are None, never an exception; what is accepted is rebuilt exactly."""
    topics = Topics("lifesign/v1")
    topic = f"lifesign/v1/{rest}"
    address = topics.parse(topic)
    assert address is None or topics.build(address) == topic
    assert topics.parse(rest) is None


@pytest.mark.parametrize("bad", ["", "a/b", "+", "#", "a b", "x" * 65, "x" * 1000, "é", "a\n", "$SYS"])
def test_a_bad_id_is_refused(bad: str) -> None:
    """Wildcards, separators, spaces, line ends and long ids never reach a topic."""
    topics = Topics("lifesign/v1")
    for build in (topics.node_status, topics.call_state, topics.alerts, lambda id_: topics.verdict("c", id_)):
        with pytest.raises(IdError, match="64 letters"):
            build(bad)


def test_the_topics_are_as_documented() -> None:
    """Consumers rely on these literal topics."""
    topics = Topics("lifesign/v1/")
    assert topics.node_status("n") == "lifesign/v1/nodes/n/status"
    assert topics.call_state("c") == "lifesign/v1/calls/c/state"
    assert topics.verdict("c", "p") == "lifesign/v1/calls/c/participants/p/verdict"
    assert topics.alerts("c") == "lifesign/v1/calls/c/alerts"
    assert topics.challenge("c", "p") == "lifesign/v1/calls/c/participants/p/challenge"
    assert set(ADDRESSES) == set(Channel)
