# SPDX-License-Identifier: Apache-2.0
"""Sealed bytes open with their key, for their alert, and unaltered; else not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.publish.explanations.seal import HEAD_BYTES, DamagedError, OtherKeyError, Seal

SEAL = Seal(bytes(range(32)))


@given(content=st.binary(max_size=300), alert=st.text("abc-_", min_size=1, max_size=64))
def test_what_was_sealed_is_opened_again(content: bytes, alert: str) -> None:
    """And nothing of it shows, nor is anything sealed alike twice."""
    sealed = SEAL.close(alert, content)
    assert SEAL.open(alert, sealed) == content
    assert sealed != SEAL.close(alert, content)
    assert len(content) < 8 or content not in sealed


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_altered_bit_is_noticed(place: int, bit: int) -> None:
    """Wherever it is, the head included."""
    sealed = bytearray(SEAL.close("alert", b"a face"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises((DamagedError, OtherKeyError)):
        SEAL.open("alert", bytes(sealed))


@given(junk=st.binary(max_size=80))
def test_other_bytes_are_damaged(junk: bytes) -> None:
    """Foreign files and cut ones alike."""
    with pytest.raises(DamagedError):
        SEAL.open("alert", junk)
    with pytest.raises(DamagedError):
        SEAL.open("alert", SEAL.close("alert", b"a face")[: HEAD_BYTES + len(junk) % 20])


def test_a_file_under_the_name_of_another_alert_is_damaged() -> None:
    """The alert is authenticated with the content, so pictures cannot be exchanged."""
    with pytest.raises(DamagedError):
        SEAL.open("other", SEAL.close("alert", b"a face"))


def test_another_key_is_known_by_the_head() -> None:
    """It is told apart from damage before anything is opened."""
    other = Seal(bytes(32))
    with pytest.raises(OtherKeyError):
        other.open("alert", SEAL.close("alert", b"a face"))
    with pytest.raises(OtherKeyError):
        other.check(SEAL.close("alert", b"")[:HEAD_BYTES])
