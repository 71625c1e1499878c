# SPDX-License-Identifier: Apache-2.0
"""Crop sides and batch sizes in, milliseconds of one core per crop for each way to judge out: a Markdown table.

`python -m models.speed`. The processor's time is counted, not the clock's, and the least of many steps: other work on
the machine can only add to it.
"""

import argparse
import copy
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from rich.console import Console

from models import registry
from models.accelerated import CROPS, STATE, accelerate
from models.detector import Detector
from models.errors import ModelError
from models.evaluation.tables import markdown
from models.exchange import describe_step, graph_only
from models.networks.stream import StreamNetwork
from models.scales import UNMEASURED
from models.twofold import TwofoldDetector

if TYPE_CHECKING:
    import onnx

__all__ = ["main", "ways"]

SIDES_PX: Final = (112, 128, 160)
BATCHES: Final = (1, 8)
CALIBRATION_STEPS: Final = 4
QUANTISED: Final = ("Conv", "MatMul", "Gemm")
Step = Callable[[int], object]
"""Runs one step of so many tracks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; exit 1 with one line on stderr when something that is measured is not installed."""
    options = _options(arguments)
    torch.set_num_threads(1)
    head = ("way", *(f"{side} px, batch {batch}" for side in options.crop_px for batch in options.batch))
    cells: dict[str, list[str]] = {}
    try:
        for side in options.crop_px:
            for name, step in ways(_resized(registry.load(options.model, accelerated=False), side)):
                cells.setdefault(name, []).extend(f"{_least_ms(step, b, options.seconds):.1f}" for b in options.batch)
    except ModelError as error:
        Console(stderr=True).print(f"not measured: {error}")
        return 1
    sys.stdout.write(markdown(head, [(name, *row) for name, row in cells.items()]))
    return 0


def ways(detector: Detector) -> Iterator[tuple[str, Step]]:
    """Each way to run one step, by name; the 8-bit one is for its speed only, its scales come from noise."""
    yield "torch", _torch_step(detector)
    yield "torch, at both scales", _torch_step(TwofoldDetector(detector, UNMEASURED))
    yield "torch, traced and frozen", _frozen_step(detector)
    model = describe_step(detector.network)
    fast = accelerate(detector, graph_only(model, detector.network))
    yield "ONNX Runtime", _torch_step(fast)
    yield "ONNX Runtime, at both scales", _torch_step(TwofoldDetector(fast, UNMEASURED))
    yield "ONNX Runtime, 8 bit", _quantised_step(model, detector)


def _torch_step(detector: Detector | TwofoldDetector) -> Step:
    return lambda batch: detector.step(_noise(detector.crop_px, batch), detector.new_state(batch))


def _frozen_step(detector: Detector) -> Step:
    class Step(torch.nn.Module):
        def __init__(self, network: StreamNetwork) -> None:
            super().__init__()
            self.network = network

        def forward(self, crops: torch.Tensor, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:
            output, after = self.network(crops.unsqueeze(1), state)
            return (output.logit, output.boundary, output.attack, *after)

    traced: dict[int, Any] = {}

    def step(batch: int) -> object:
        given = (_noise(detector.crop_px, batch), *detector.new_state(batch))
        if batch not in traced:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = torch.jit.trace(Step(detector.network).eval(), given, check_trace=False)  # type: ignore[no-untyped-call]
                traced[batch] = torch.jit.optimize_for_inference(torch.jit.freeze(found))
        with torch.inference_mode():
            return traced[batch](*given)

    return step


def _quantised_step(model: "onnx.ModelProto", detector: Detector) -> Step:
    """Convolutions and products in 8 bits, scales of each channel, as onnxruntime's own tool makes them."""
    import onnx  # noqa: PLC0415 - an optional extra
    import onnxruntime  # noqa: PLC0415 - an optional extra
    from onnxruntime import quantization  # noqa: PLC0415 - an optional extra

    class Noise(quantization.CalibrationDataReader):  # type: ignore[misc]
        left = CALIBRATION_STEPS

        def get_next(self) -> dict[str, Any] | None:
            self.left -= 1
            return _given(detector, 2) if self.left >= 0 else None

    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        onnx.save(model, str(whole))
        quantization.quant_pre_process(str(whole), str(whole), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(whole), str(small), Noise(), per_channel=True, op_types_to_quantize=list(QUANTISED)
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(small), options, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, _given(detector, batch))


def _given(detector: Detector, batch: int) -> dict[str, Any]:
    state = {STATE.format(place): value.numpy() for place, value in enumerate(detector.new_state(batch))}
    return {CROPS: _noise(detector.crop_px, batch).numpy(), **state}


def _noise(side_px: int, batch: int) -> torch.Tensor:
    random = np.random.default_rng(batch)
    return torch.from_numpy(random.integers(0, 256, (batch, side_px, side_px, 3), dtype=np.uint8))


def _resized(detector: Detector, side_px: int) -> Detector:
    """Let a detector's network take crops of another side, for measuring only."""
    network = copy.deepcopy(detector.network)
    network.crop_px = side_px
    known = {name: getattr(detector, name) for name in ("identity", "calibration", "samples_per_s", "device")}
    return Detector(network=network, **known)


def _least_ms(step: Step, batch: int, seconds: float) -> float:
    step(batch)
    step(batch)
    least_s, until_s = float("inf"), time.process_time() + seconds
    while time.process_time() < until_s:
        start_s = time.process_time()
        step(batch)
        least_s = min(least_s, time.process_time() - start_s)
    return 1000.0 * least_s / batch


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.speed", description=__doc__)
    parser.add_argument("--model", default=registry.DEFAULT)
    parser.add_argument("--crop-px", type=int, nargs="+", default=SIDES_PX)
    parser.add_argument("--batch", type=int, nargs="+", default=BATCHES, help="tracks judged in one step")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured per figure")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
