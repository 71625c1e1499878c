# SPDX-License-Identifier: Apache-2.0
"""A model's name in, what was checked of its files and of how it judges on this machine out."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch

from models import registry
from models.accelerated import AcceleratedDetector
from models.detector import Detector
from models.errors import WeightsError

__all__ = ["TOLERANCE", "Fact", "inspect", "largest_difference"]

TOLERANCE: Final = 1e-3
"""Most by which two ways to run the same weights may differ, in logits."""

TRACKS: Final = 3
STEPS: Final = 6
SEED: Final = 20261122


class Fact(NamedTuple):
    """Something that was checked and found in order."""

    what: str
    found: str


def inspect(name: str = registry.DEFAULT) -> tuple[Fact, ...]:
    """Check a model as a service would before it judges; raises `WeightsError` with the first thing that is wrong."""
    return tuple(_inspected(name))


@torch.inference_mode()
def largest_difference(one: Detector, other: Detector) -> float:
    """Largest difference in logits when both judge the same noise, the tracks changing places at every step."""
    random = torch.Generator().manual_seed(SEED)
    states = [one.new_state(TRACKS), other.new_state(TRACKS)]
    worst = 0.0
    for _ in range(STEPS):
        order = torch.randperm(TRACKS, generator=random)
        side = one.crop_px
        crops = torch.randint(0, 256, (TRACKS, side, side, 3), dtype=torch.uint8, generator=random)
        given = [tuple(tensor[order] for tensor in state) for state in states]
        found, states[0] = one.step(crops, given[0])
        known, states[1] = other.step(crops, given[1])
        worst = max(worst, float((found.logit - known.logit).abs().max()))
        if not found.logit.isfinite().all():
            raise WeightsError(f"model {one.identity.name} gives logits that are no numbers")
    return worst


def _inspected(name: str) -> Iterator[Fact]:
    folder, entry = registry.locate(name)
    judging, plain = registry.load(name), registry.load(name, accelerated=False)
    yield Fact("weights", f"{folder / entry.file}, SHA-256 as in the manifest")
    yield Fact("calibration", f"{folder / entry.calibration}, SHA-256 as in the manifest, ascending")
    yield Fact("input", f"{entry.contract}: this program gives such crops of {judging.crop_px} px")
    yield Fact("licence", entry.licence)
    registry.card(name)
    yield Fact("card", f"lifesign models card {name}")
    difference = largest_difference(judging, plain)
    if difference > TOLERANCE:
        raise WeightsError(f"model {entry.name} judges otherwise with ONNX Runtime: logits differ by {difference:.2g}")
    yield Fact("judged by", _runtime(judging, difference))


def _runtime(detector: Detector, difference: float) -> str:
    if isinstance(detector, AcceleratedDetector):
        return f"ONNX Runtime on a CPU; logits at most {difference:.1g} off torch's"
    return "torch"
