# SPDX-License-Identifier: Apache-2.0
"""A lossy way between sender and receiver, and the moments at which a receiver looks; pure, from a seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLEAR", "Freezes", "Link", "Network", "draw_network", "draw_times", "freezes"]

PACKET_BYTES: Final = 1200
"""Payload of a video packet: libwebrtc's packets fit an MTU of 1,200 bytes."""

KEYFRAME_GAP_S: Final = 0.3
"""A sender answers requests for a keyframe, and a receiver repeats them, no more often than this."""

CALL_FPS: Final = 25.0
SLOWEST_FPS: Final = 2.0
USUAL_FPS: Final = 5.0
FASTEST_FPS: Final = 15.0
USUAL_SHARE: Final = 0.5
LONGEST_JITTER: Final = 0.5
MOST_REPEATS: Final = 0.2
UNEVEN_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Network:
    """`loss`: share of packets lost, 0..1, in bursts of `burst_packets` on average (1: independently); a lost packet
    is sent again `retransmissions` times before the receiver gives it up; `round_trip_s` seconds.
    """

    loss: float = 0.0
    burst_packets: float = 1.0
    retransmissions: int = 0
    round_trip_s: float = 0.15

    @property
    def unrepaired(self) -> float:
        """Share of packets missing for good, when every sending is lost independently of the one before."""
        return self.loss ** (1 + self.retransmissions)


class Link:
    """Carries encoded frames in packets. A frame that misses one is dropped, and so is all that follows until a
    keyframe is whole: the receiver asks for one (picture loss indication, RFC 4585), a round trip later it is sent.

    Bursts follow Gilbert's model of two states (Bell System Technical Journal, 1960). Times are seconds of media,
    in which the request reaches the sender one round trip after the frame was sent.
    """

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        self._rng = rng
        self._round_trip_s = network.round_trip_s
        self._stays_lost = 1.0 - 1.0 / max(network.burst_packets, 1.0)
        missing = network.unrepaired
        self._gets_lost = missing * (1.0 - self._stays_lost) / max(1.0 - missing, 1e-9)
        if network.burst_packets <= 1.0:
            self._stays_lost = self._gets_lost = missing
        self._losing = False
        self._frozen = False
        self._due_s: float | None = None

    def wants_keyframe(self, at_s: float) -> bool:
        """Whether a frame taken now has to be a keyframe."""
        return self._due_s is not None and at_s >= self._due_s

    def carry(self, at_s: float, size_bytes: int, *, keyframe: bool) -> bool:
        """Send an encoded frame; tell whether the receiver can show it."""
        packets = max(1, -(-size_bytes // PACKET_BYTES))
        whole = sum(self._loses() for _ in range(packets)) == 0
        if keyframe and whole:
            self._frozen, self._due_s = False, None
        elif keyframe:
            self._frozen, self._due_s = True, at_s + max(self._round_trip_s, KEYFRAME_GAP_S)
        elif not whole and not self._frozen:
            self._frozen, self._due_s = True, at_s + self._round_trip_s
        return whole and not self._frozen

    def _loses(self) -> bool:
        self._losing = bool(self._rng.random() < (self._stays_lost if self._losing else self._gets_lost))
        return self._losing


CLEAR: Final = Network()


@dataclass(frozen=True, slots=True)
class Freezes:
    """For each frame looked at, which one is on the screen (`shown`, ascending, itself when nothing is lost), and which
    of them follow a picture that was built anew (`keyframes`).
    """

    shown: tuple[int, ...]
    keyframes: tuple[int, ...]


def draw_network(rng: np.random.Generator) -> Network:
    """Draw a bad network: 0.5 to 10 % of packets lost, half of the networks in bursts, two thirds repair once."""
    return Network(
        loss=float(np.exp(rng.uniform(np.log(0.005), np.log(0.1)))),
        burst_packets=float(rng.uniform(1.5, 6.0)) if rng.random() < 0.5 else 1.0,
        retransmissions=int(rng.random() < 2 / 3),
        round_trip_s=float(rng.uniform(0.05, 0.4)),
    )


def freezes(network: Network, frames: int, looks_per_s: float, kbps: float, seed: int) -> Freezes:
    """Play a stream of `kbps` over the network and look at it `looks_per_s` times a second.

    All frames of the stream count as equally large, so that the outcome depends on no picture: twins freeze alike.
    """
    link = Link(network, np.random.default_rng(seed))
    size_bytes = round(kbps * 125 / CALL_FPS)
    between = max(1, round(CALL_FPS / looks_per_s))
    shown, keyframes, renewed = [0], list[int](), False
    for count in range(1, (frames - 1) * between + 1):
        at_s = count / CALL_FPS
        wanted = link.wants_keyframe(at_s)
        arrived = link.carry(at_s, size_bytes, keyframe=wanted)
        renewed = renewed or (arrived and wanted)
        if count % between == 0:
            index = count // between
            shown.append(index if arrived else shown[-1])
            keyframes += [index] * (arrived and renewed)
            renewed = renewed and not arrived
    return Freezes(tuple(shown), tuple(keyframes))


def draw_times(rng: np.random.Generator, frames: int, available: int, exported_fps: float) -> NDArray[np.int64]:
    """Draw which of `available` frames, exported at `exported_fps`, a receiver looks at: int64 [frames], ascending.

    The rate lies between 2 and 15 a second (never above the exported one), half the time near the usual 5. Two in
    five clips come unevenly: steps off by up to a half, and up to a fifth of the frames shown twice. A film that is
    too short is looked at faster, then its last frame holds; a portrait is held still.
    """
    fastest = min(FASTEST_FPS, exported_fps)
    usual = rng.random() < USUAL_SHARE
    low, high = (USUAL_FPS * 0.8, USUAL_FPS * 1.25) if usual else (SLOWEST_FPS, fastest)
    rate = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    step = exported_fps / min(rate, fastest)
    steps = np.full(max(frames - 1, 0), max(1.0, min(step, (available - 1) / max(frames - 1, 1))))
    if rng.random() < UNEVEN_SHARE:
        steps = steps * rng.uniform(1.0 - LONGEST_JITTER, 1.0 + LONGEST_JITTER, steps.size)
        steps[rng.random(steps.size) < rng.uniform(0.0, MOST_REPEATS)] = 0.0
    at = np.concatenate([[0.0], np.cumsum(steps)])
    start = rng.uniform(0.0, max(available - 1 - at[-1], 0.0))
    chosen: NDArray[np.int64] = np.minimum(np.rint(start + at), available - 1).astype(np.int64)
    return chosen
