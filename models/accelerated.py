# SPDX-License-Identifier: Apache-2.0
"""A detector and its network as an ONNX graph in, the same detector judging with ONNX Runtime on the CPU out.

The graph holds no weights: they come from the detector's network, so there is one file of weights and one hash.
"""

from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor

from models.detector import Detector, Output
from models.errors import WeightsError
from models.networks.backbone import ConvNorm
from models.networks.stream import State, StreamNetwork

if TYPE_CHECKING:
    import onnxruntime

__all__ = [
    "CROPS",
    "NEXT",
    "RESULTS",
    "STATE",
    "AcceleratedDetector",
    "accelerate",
    "can_accelerate",
    "frugal",
    "named_weights",
]

CROPS: Final = "crops"
STATE: Final = "state_{}"
NEXT: Final = "next_{}"
RESULTS: Final = Output._fields
"""Names of the graph's inputs and outputs: crops and the state's tensors in, an output and the next state out."""

LEARNING_ONLY: Final = "quality."
"""The head that no step's output needs, so that no graph has it."""


@dataclass(frozen=True, slots=True, eq=False)
class AcceleratedDetector(Detector):
    """The same network, state and contract as its base; a step runs in `session`, which borrows `weights`."""

    session: "onnxruntime.InferenceSession"
    weights: tuple[Any, ...]

    def judge_clip(self, crops: Tensor) -> Tensor:
        """Judge one track's crops uint8 [T, S, S, 3] in order, from a fresh state: logits float32 [T]."""
        state, logits = self.new_state(1), []
        for crop in torch.split(crops, 1):
            output, state = self.step(crop, state)
            logits.append(output.logit)
        return torch.cat(logits)

    @torch.inference_mode()
    def step(self, crops: Tensor, state: State) -> tuple[Output, State]:
        """Judge one new crop per track: `crops` uint8 [B, S, S, 3] RGB; raises `ValueError` for anything else."""
        side = self.crop_px
        if crops.dtype != torch.uint8 or crops.shape[1:] != (side, side, 3):
            raise ValueError(f"crops must be uint8 [B, {side}, {side}, 3], not {crops.dtype} {list(crops.shape)}")
        given = {CROPS: crops.numpy()} | {STATE.format(place): value.numpy() for place, value in enumerate(state)}
        found = [torch.from_numpy(value) for value in self.session.run(None, given)]
        return Output(*found[: len(RESULTS)]), tuple(found[len(RESULTS) :])


def can_accelerate() -> bool:
    """Whether ONNX Runtime is installed (the extra `fast`)."""
    return find_spec("onnxruntime") is not None


def frugal() -> "onnxruntime.SessionOptions":
    """Options of a session on as many threads as torch has now; idle ones do not spin."""
    import onnxruntime  # noqa: PLC0415 - an optional extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def named_weights(network: StreamNetwork) -> dict[str, Tensor]:
    """A network's tensors by the names they have in its graph, normalisation folded into the convolutions."""
    folded = {name: part for name, part in network.named_modules() if isinstance(part, ConvNorm)}
    left_out = (LEARNING_ONLY, *(f"{name}." for name in folded))
    found: dict[str, Tensor] = {
        name: value for name, value in network.named_parameters() if not name.startswith(left_out)
    }
    for name, part in folded.items():
        found[f"{name}.fixed_weight"], found[f"{name}.fixed_bias"] = part.folded()
    return {name: value.detach() for name, value in found.items()}


def accelerate(detector: Detector, graph: bytes) -> AcceleratedDetector:
    """Give `detector` a session of `graph`, on as many threads as torch has now.

    Raises `WeightsError` for a graph of another network or of other crops.
    """
    import onnxruntime  # noqa: PLC0415 - an optional extra

    options = frugal()
    weights = {name: _borrowed(value) for name, value in named_weights(detector.network).items()}
    options.add_external_initializers(list(weights), list(weights.values()))
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises classes of its own without a common base
        raise WeightsError(f"the graph of model {detector.identity.name} does not fit its weights: {error}") from error
    _check_inputs(detector, session)
    known = {field.name: getattr(detector, field.name) for field in fields(Detector)}
    return AcceleratedDetector(**known, session=session, weights=tuple(weights.values()))


def _borrowed(value: Tensor) -> Any:  # noqa: ANN401 - onnxruntime has no types
    import onnxruntime  # noqa: PLC0415 - an optional extra

    return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value.numpy()))


def _check_inputs(detector: Detector, session: "onnxruntime.InferenceSession") -> None:
    state = detector.new_state(1)
    wanted = {CROPS: [detector.crop_px, detector.crop_px, 3]}
    wanted |= {STATE.format(place): list(value.shape[1:]) for place, value in enumerate(state)}
    found = {given.name: list(given.shape[1:]) for given in session.get_inputs()}
    if found != wanted:
        raise WeightsError(f"the graph of model {detector.identity.name} is of another network or of other crops")
