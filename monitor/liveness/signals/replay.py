# SPDX-License-Identifier: Apache-2.0
"""A face with its surroundings in, about once a second, evidence of a screen or of a print before the camera out.

A small network (`models.pad`) looks at the face in 1.95 x its box and at its middle in detail: edges of a display or a
sheet, its light, moire, dots and grain, which cameras add when they film a picture of a face instead of a face (Wen,
Han, Jain, IEEE TIFS 2015; ISO/IEC 30107-3 calls both presentation attacks). It learnt from screens and prints that were
computed from real faces, not filmed.

The origin is the highest mean of five readings in a row that one new bona fide person in a hundred is expected to
reach; it is measured on people whom the network never saw and travels with the weights. Below it nothing is said.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from models.errors import WeightsError
from models.pad import store
from models.pad.store import PadDetector, PadJudgement
from monitor.errors import ModelError
from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["ReplayedFace", "ready_replay"]

READINGS: Final = 5
LEAST_READINGS: Final = 3
"""One picture may look flat by chance; a display or a sheet does so for seconds."""

GAP_S: Final = 3.0
"""After a longer gap somebody else may sit there: the readings begin anew."""

MOST_NATS: Final = 0.8
"""The tail above the origin is extrapolated and the attacks were computed, so a second speaks softly: an alert takes
sixteen of them."""

NONE_YET: Final = "The surroundings of the face have not been watched long enough."
NOTHING: Final = "The face and its surroundings do not look like a screen or a print."
SCREEN: Final = "The face and its surroundings look like a picture on a screen."
PRINT: Final = "The face and its surroundings look like a printed picture."


class ReplayedFace:
    """Holds the last five readings of one face, whatever the length of the call."""

    cue = "replay"

    def __init__(self, detector: PadDetector) -> None:
        self._detector = detector
        self._readings: deque[PadJudgement] = deque(maxlen=READINGS)
        self._last_s = 0.0

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Read the surroundings where the crop has them; between, what was read last holds."""
        if not 0.0 <= crop.media_s - self._last_s <= GAP_S:
            self._readings.clear()
        self._last_s = crop.media_s
        if crop.wide is not None:
            self._readings.append(self._detector.judge(crop.wide))
        if len(self._readings) < LEAST_READINGS:
            return abstain(self.cue, crop, NONE_YET)
        return self._weighed(crop)

    def _weighed(self, crop: FaceCrop) -> Evidence:
        measure = sum(one.logit for one in self._readings) / len(self._readings)
        origin = self._detector.origin
        if measure <= origin.origin:
            return abstain(self.cue, crop, NOTHING, measure, origin.origin)
        replay = sum(one.replay_share for one in self._readings) / len(self._readings)
        return Evidence(
            cue=self.cue,
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=min((measure - origin.origin) / origin.spread, MOST_NATS),
            reliability=crop.quality.weight,
            kinds={AttackKind.REPLAY: replay, AttackKind.PRINT: 1.0 - replay},
            sentence=SCREEN if replay >= 0.5 else PRINT,
            measure=measure,
            origin=origin.origin,
        )


def ready_replay() -> Callable[[], ReplayedFace]:
    """Load the network once a process; raises ModelError for weights that must not be used."""
    try:
        detector = store.load()
    except WeightsError as error:
        raise ModelError(
            f"The network for screens and prints cannot be used: {error}.",
            "Install lifesign again, or leave replay out of liveness.cues.",
        ) from error
    return lambda: ReplayedFace(detector)
