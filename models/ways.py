# SPDX-License-Identifier: Apache-2.0
"""A model and a device in, each way to run it there out: torch as it is or compiled, ONNX Runtime in 32 and 8 bits."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch
from torch import Tensor

from models import registry
from models.accelerated import CROPS, STATE, AcceleratedDetector, can_accelerate, frugal, named_weights
from models.compiled import can_compile, compiled
from models.detector import Detector
from models.twofold import TwofoldDetector

if TYPE_CHECKING:
    import onnx

__all__ = ["CLOSE", "KINDS", "Absent", "Way", "farthest", "ways"]

CLOSE: Final = 0.05
"""Most by which a way may move a logit that was joined of two looks: a twentieth of what bona fide people differ by."""

KINDS: Final = MappingProxyType(
    {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16},
)
ON_CPU: Final = ("float32", "bfloat16")
QUANTISED: Final = ("Conv", "MatMul", "Gemm")
CALIBRATION_LOOKS: Final = 8


class Way(NamedTuple):
    """A way to run the model, and the settings that choose it; a way without any cannot be chosen.

    One that `compiles` does so in its first step of each number of crops, as `models.compiled` says.
    """

    name: str
    settings: Mapping[str, str]
    detector: Detector | TwofoldDetector
    compiles: bool = False


class Absent(NamedTuple):
    """A way that cannot be tried here, and why."""

    name: str
    why: str


def ways(name: str, device: str, crops: Tensor) -> Iterator[Way | Absent]:
    """Each way, the reference (torch in float32) first.

    `crops` uint8 [T, N, S, S, 3] are looks at N faces over time, for the scales of 8 bits. Raises `WeightsError` as
    `registry.load` does.
    """
    on_cpu = torch.device(device).type == "cpu"
    for kind in ON_CPU if on_cpu else KINDS:
        detector = registry.load(name, device, accelerated=False, kind=KINDS[kind])
        yield Way(f"torch, {kind}", {"runtime": "torch", "precision": kind}, _whole(detector))
    if on_cpu:
        yield _compiled(name)
        yield from _accelerated(name, crops)


@torch.inference_mode()
def farthest(one: Detector | TwofoldDetector, other: Detector | TwofoldDetector, crops: Tensor) -> float:
    """The largest difference in logits when both look at `crops` uint8 [T, N, S, S, 3], N faces over time."""
    states, worst = [each.new_state(crops.shape[1]) for each in (one, other)], 0.0
    for looks in crops:
        found, states[0] = one.step(looks.to(one.device), states[0])
        known, states[1] = other.step(looks.to(other.device), states[1])
        worst = max(worst, float((found.logit.cpu() - known.logit.cpu()).abs().max()))
    return worst


def _compiled(name: str) -> Way | Absent:
    if not can_compile():
        return Absent("torch, compiled", "needs a C++ compiler, such as g++")
    return Way("torch, compiled", {}, _whole(compiled(registry.load(name, accelerated=False))), compiles=True)


def _accelerated(name: str, crops: Tensor) -> Iterator[Way | Absent]:
    if not can_accelerate() or not registry.entry(name).graph:
        yield Absent("ONNX Runtime", "needs the extra fast, and a model with a graph")
        return
    detector = registry.load(name, accelerated=True)
    assert isinstance(detector, AcceleratedDetector)
    yield Way("ONNX Runtime", {"runtime": "onnx", "precision": "float32"}, _whole(detector))
    if find_spec("onnx") is None:
        yield Absent("ONNX Runtime, 8 bit", "needs the extra train")
        return
    yield Way("ONNX Runtime, 8 bit", {}, _whole(_quantised(detector, name, crops)))


def _whole(detector: Detector) -> Detector | TwofoldDetector:
    scales = detector.calibration.scales
    return detector if scales is None else TwofoldDetector(detector, scales)


def _quantised(detector: AcceleratedDetector, name: str, crops: Tensor) -> AcceleratedDetector:
    """Convolutions and products in 8 bits, a scale for each channel, as onnxruntime's own tool makes them."""
    import onnx  # noqa: PLC0415 - an optional extra
    import onnxruntime  # noqa: PLC0415 - an optional extra
    from onnxruntime import quantization  # noqa: PLC0415 - an optional extra

    class Looks(quantization.CalibrationDataReader):  # type: ignore[misc]
        left = iter(crops[:CALIBRATION_LOOKS])

        def get_next(self) -> dict[str, Any] | None:
            looks = next(self.left, None)
            return None if looks is None else _given(detector, looks)

    logging.disable(logging.INFO)
    with ExitStack() as stack:
        stack.callback(logging.disable, logging.NOTSET)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        onnx.save(_with_weights(detector, name), str(whole))
        quantization.quant_pre_process(str(whole), str(whole), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(whole), str(small), Looks(), per_channel=True, op_types_to_quantize=list(QUANTISED)
        )
        session = onnxruntime.InferenceSession(str(small), frugal(), providers=["CPUExecutionProvider"])
    return replace(detector, session=session)


def _with_weights(detector: AcceleratedDetector, name: str) -> "onnx.ModelProto":
    from onnx import load_from_string, numpy_helper  # noqa: PLC0415 - an optional extra

    folder, entry = registry.locate(name)
    model = load_from_string(registry.verified(folder / entry.graph, entry.graph_sha256))
    weights = named_weights(detector.network)
    for stored in model.graph.initializer:
        if stored.name in weights:
            stored.CopyFrom(numpy_helper.from_array(weights[stored.name].contiguous().numpy(), stored.name))
    return model


def _given(detector: Detector, looks: Tensor) -> dict[str, Any]:
    state = {STATE.format(place): value.numpy() for place, value in enumerate(detector.new_state(len(looks)))}
    return {CROPS: looks.numpy(), **state}
