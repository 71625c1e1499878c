# SPDX-License-Identifier: Apache-2.0
"""A stand-in attack that needs no weights: faces turned blue, and a detector that knows blue when it sees it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from tests.fakes.detector import FakeDetector, FakeOutput

__all__ = ["BlueDetector", "load_blue", "record"]


class BlueDetector(FakeDetector):
    """Logit 3 for a face with more blue than red, -3 otherwise."""

    def __init__(self) -> None:
        """Take crops of 112 px, as the shipped detector does."""
        super().__init__(crop_px=112, identity=("fake.blue", "b" * 64))

    def step(self, crops: Tensor, state: tuple[Tensor, ...]) -> tuple[FakeOutput, tuple[Tensor, ...]]:
        """One step of each track; the state is left as it is."""
        means = crops.float().mean(dim=(1, 2))
        return FakeOutput(3.0 * torch.sign(means[:, 2] - means[:, 0])), state


def record(source: Path, target: Path, seconds: float, *, blue: bool = False) -> Path:
    """Write the first seconds of a clip again, at its size and rate, with the colours of skin turned blue or not."""
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        rate = Fraction(film.streams.video[0].average_rate or 25)
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height = film.streams.video[0].width, film.streams.video[0].height
        for index, frame in enumerate(film.decode(video=0)):
            if index >= seconds * rate:
                break
            planes = frame.reformat(format="yuv420p").to_ndarray()
            out.mux(stream.encode(av.VideoFrame.from_ndarray(_turned(planes) if blue else planes, format="yuv420p")))
        out.mux(stream.encode(None))
    return target


def _turned(i420: np.ndarray) -> np.ndarray:
    luma, chroma = np.split(i420, [i420.shape[0] * 2 // 3])
    u, v = np.split(chroma.reshape(-1), 2)
    return np.concatenate([luma, np.concatenate([v, u]).reshape(chroma.shape)])


def load_blue(_name: str, _device: str) -> BlueDetector:
    """The detector, for a process that loads it by name."""
    return BlueDetector()
