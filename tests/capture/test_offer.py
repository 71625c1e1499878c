# SPDX-License-Identifier: Apache-2.0
"""Offers as text, before anything is opened for them."""

import contextlib

from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.adapter import prepare
from monitor.capture.offer import checked_offer
from monitor.capture.trickle import parsed_fragment
from monitor.errors import RequestError

OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 H264/90000
a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d0032
a=candidate:1 1 udp 2130706431 caller-host.local 50000 typ host
"""

LINES = OFFER.splitlines()


def test_offer_is_passed_on_as_it_came() -> None:
    """What can be served is handed on with every line, host names and unknown attributes included."""
    prepare()
    checked = checked_offer(OFFER + "a=unheard-of:1\n")
    assert checked.split("\r\n")[:-1] == [*LINES, "a=unheard-of:1"]


def test_missing_direction_is_written_out() -> None:
    """A section that does not say its direction has the session's, or sends."""
    prepare()
    silent = OFFER.replace("a=sendonly\n", "")
    assert SessionDescription.parse(checked_offer(silent)).media[0].direction == "sendrecv"
    session = silent.replace("t=0 0\n", "t=0 0\na=sendonly\n")
    assert SessionDescription.parse(checked_offer(session)).media[0].direction == "sendonly"


@given(st.text(max_size=300))
def test_any_text_is_an_offer_or_an_error(text: str) -> None:
    """Nothing but a refusal comes out of the parsers, whatever goes in."""
    for parse in (checked_offer, parsed_fragment):
        with contextlib.suppress(RequestError):
            parse(text)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(LINES) - 1),
            st.sampled_from(["drop", "double", "cut", "swap", "insert"]),
            st.integers(0, 80),
            st.text("0123456789 :/=-;,abzä\x00", max_size=12),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_change_of_an_offer_is_an_offer_or_an_error(changes: list[tuple[int, str, int, str]]) -> None:
    """An offer with lines dropped, doubled, moved or garbled is refused or can be parsed again."""
    prepare()
    lines = list(LINES)
    for at, how, column, noise in changes:
        line = lines[at % len(lines)]
        replaced = {
            "drop": [],
            "double": [line, line],
            "cut": [line[:column] + noise + line[column + 1 :]],
            "swap": [lines[-1 - at % len(lines)], line],
            "insert": [line, f"{line[:2]}{noise}"],
        }
        lines[at % len(lines) : at % len(lines) + 1] = replaced[how]
        if not lines:
            return
    with contextlib.suppress(RequestError):
        SessionDescription.parse(checked_offer("\n".join(lines)))
