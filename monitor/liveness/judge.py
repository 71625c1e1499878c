# SPDX-License-Identifier: Apache-2.0
"""A batch of crops with their slots in, evidence of the network and of the signals out; runs in the torch thread."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.cues import MakeSignals
from monitor.liveness.pool import Lease
from monitor.liveness.runner import Runner
from monitor.liveness.signals.signal import Signal
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["DETECTOR_KINDS", "Judge", "Judged", "Look"]

DETECTOR_KINDS: Final[Mapping[AttackKind, float]] = MappingProxyType(
    {AttackKind.FACE_SWAP: 0.7, AttackKind.LIP_SYNC: 0.15, AttackKind.REENACTMENT: 0.15}
)
"""The network learns from blended faces, so its word means a swap first; blended mouths and re-rendered faces
leave the same kind of boundary. It cannot tell them apart: the weights are what is likely beforehand, not measured."""

Map = NDArray[np.uint8]

TELLING_NATS: Final = 0.5
"""A likelihood ratio under 1.6 either way is not worth a sentence of its own."""


class Look(NamedTuple):
    """One face in one frame, and what the frame's media say beside it."""

    crop: FaceCrop
    context: Context = NO_CONTEXT


class Judged(NamedTuple):
    """Evidence of one look, the network's first, and its `boundary` map uint8 [n, n], 255 for certain.

    Where the network rested there is no word of it, and no map.
    """

    evidence: tuple[Evidence, ...]
    boundary: "Map | None"


class Judge:
    """The network's runner and the signals of all tracks; used by one thread only."""

    def __init__(self, runner: Runner, new_signals: MakeSignals) -> None:
        self._runner = runner
        self._calibration = runner.detector.calibration
        self._new_signals = new_signals
        self.cues_s = 0.0
        """Processor time of the signals so far."""
        self._signals: dict[int, tuple[Signal, ...]] = {}

    def judge(self, lease: Lease, looks: Sequence[Look]) -> list[Judged]:
        """One step of every track in the batch; what is found of each look, in their order.

        The network leaves out the looks at which it may rest, but never the first of a track. The signals look while a
        GPU works, and not at all when its step could not begin.
        """
        awake = [at for at, look in enumerate(looks) if lease.slots[at] in lease.fresh or not look.context.rests]
        if not awake:
            return [Judged(words, None) for words in self._signalled(lease, looks)]
        crops = [looks[at].crop for at in awake]
        flight = self._runner.launch([lease.slots[at] for at in awake], lease.fresh, [crop.rgb for crop in crops])
        said = self._signalled(lease, looks)
        logits, maps = self._runner.land(flight, [crop.quality.face_px for crop in crops])
        words = [self._network(crop, logit) for crop, logit in zip(crops, logits, strict=True)]
        stepped = dict(zip(awake, zip(words, maps, strict=True), strict=True))
        return [_joined(stepped.get(at), words) for at, words in enumerate(said)]

    def _signalled(self, lease: Lease, looks: Sequence[Look]) -> list[tuple[Evidence, ...]]:
        self._signals.update({slot: self._new_signals() for slot in lease.fresh})
        began_s = time.thread_time()
        said = [
            tuple(signal.look(*look) for signal in self._signals[slot])
            for slot, look in zip(lease.slots, looks, strict=True)
        ]
        self.cues_s += time.thread_time() - began_s
        return said

    def _network(self, crop: FaceCrop, logit: float) -> Evidence:
        quality = crop.quality
        llr_nats = self._calibration.llr_nats(logit, quality.face_px, quality.sharpness)
        return Evidence(
            cue="detector",
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=llr_nats,
            reliability=quality.weight,
            kinds=DETECTOR_KINDS,
            sentence=_sentence(llr_nats),
            score=self._calibration.score(logit),
            measure=logit,
        )


def _joined(network: tuple[Evidence, Map] | None, words: tuple[Evidence, ...]) -> Judged:
    return Judged(words, None) if network is None else Judged((network[0], *words), network[1])


def _sentence(llr_nats: float) -> str:
    if llr_nats > TELLING_NATS:
        return "The face shows traces of blending, as when another face is put over it."
    if llr_nats < -TELLING_NATS:
        return "The face shows no traces of blending."
    return "The face gives no clear sign either way."
