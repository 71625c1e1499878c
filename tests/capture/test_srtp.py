# SPDX-License-Identifier: Apache-2.0
"""Datagrams opened in place, beside pylibsrtp's own way."""

import pylibsrtp
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.adapter_srtp import LONGEST_BYTES, Opener

KEY = bytes(range(30))
HEADER = st.builds(
    lambda flags, sequence: bytes([flags, 96]) + sequence.to_bytes(2, "big") + bytes(7) + b"\x05",
    st.sampled_from([0x80, 0x90, 0xA0, 0x8F, 0xBF]),
    st.integers(0, 40),
)
PACKET = st.builds(lambda header, rest: header + rest, HEADER, st.binary(max_size=60))
WIRE = st.tuples(PACKET, st.none() | st.integers(0, 80), st.none() | st.integers(0, 90))


def session(direction: int) -> pylibsrtp.Session:
    """One end of SRTP."""
    return pylibsrtp.Session(pylibsrtp.Policy(key=KEY, ssrc_type=direction))


def theirs(receiver: pylibsrtp.Session, data: bytes) -> bytes | None:
    """What pylibsrtp makes of a datagram."""
    try:
        return receiver.unprotect(data)
    except (pylibsrtp.Error, ValueError):
        return None


def on_the_wire(sender: pylibsrtp.Session, data: bytes, spoilt: int | None, cut: int | None) -> bytes:
    """Encrypted where that can be, then with a bit turned round, or cut short."""
    try:
        sent = bytearray(sender.protect(data))
    except pylibsrtp.Error:
        sent = bytearray(data)
    if spoilt is not None and spoilt < len(sent):
        sent[spoilt] ^= 1
    return bytes(sent[:cut])


@given(st.lists(WIRE, max_size=12))
def test_opens_what_pylibsrtp_opens(packets: list[tuple[bytes, int | None, int | None]]) -> None:
    """Of whole, forged, truncated, repeated and reordered packets both make the same."""
    sender = session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    receiver = session(pylibsrtp.Policy.SSRC_ANY_INBOUND)
    opener = Opener(session(pylibsrtp.Policy.SSRC_ANY_INBOUND))
    for data, spoilt, cut in packets:
        sent = on_the_wire(sender, data, spoilt, cut)
        assert opener.opened(sent) == theirs(receiver, sent)


def test_one_place_serves_every_length() -> None:
    """A short packet after a long one comes without what was left of that; one that does not fit is refused."""
    sender = session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    opener = Opener(session(pylibsrtp.Policy.SSRC_ANY_INBOUND))
    for sequence, length in ((1, 1300), (2, 0), (3, 1)):
        data = b"\x80\x60" + sequence.to_bytes(2, "big") + bytes(7) + b"\x05" + b"x" * length
        assert opener.opened(sender.protect(data)) == data
    assert [opener.opened(bytes(length)) for length in (0, LONGEST_BYTES, LONGEST_BYTES + 1)] == [None] * 3
