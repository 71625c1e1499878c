# SPDX-License-Identifier: Apache-2.0
"""What capture hands on: the media of one participant, whatever they came in by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from monitor.values import AudioChunk, Media

__all__ = ["Feed", "FeedCounts"]


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """Counters of one feed since it began.

    Every picture that was `received`, decoded or not, was passed over by the sampler, `dropped` because a newer sampled
    one came before it was read, `failed` in decoding or conversion, `yielded`, or still waits. `discarded` are pictures
    thrown away encoded, because the decoder was behind or a keyframe was still to come; `breaks` are new time bases in
    the stream; `stalls` are silences, each counted once; `waiting` are the pictures and `waiting_packets` the
    packets that queue now, `sounds` the audio frames received.
    """

    received: int = 0
    sampled: int = 0
    dropped: int = 0
    failed: int = 0
    yielded: int = 0
    discarded: int = 0
    breaks: int = 0
    stalls: int = 0
    sounds: int = 0
    waiting: int = 0
    waiting_packets: int = 0


@runtime_checkable
class Feed(Protocol):
    """The media of one participant of one call."""

    @property
    def call(self) -> str:
        """Id of the call."""

    @property
    def participant(self) -> str:
        """Id of the participant in the call."""

    @property
    def samples_per_s(self) -> float:
        """Frames picked per media second; set it lower when the machine cannot keep up."""

    @samples_per_s.setter
    def samples_per_s(self, per_s: float) -> None: ...

    @property
    def counts(self) -> FeedCounts:
        """Counters so far."""

    def media(self) -> AsyncIterator[Media]:
        """Sampled frames, newest wins when live, and stalls; ends when the participant is gone. Iterate once."""

    def heard(self, seconds: float) -> tuple[AudioChunk, ...]:
        """The newest `seconds` of sound, oldest chunk first; fewer when fewer were heard."""

    async def close(self) -> None:
        """End the feed: `media` finishes. Harmless to repeat."""
