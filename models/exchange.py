# SPDX-License-Identifier: Apache-2.0
"""A model in, one streaming step of it as ONNX out: with weights for other programs, without for `accelerated`.

`python -m models.exchange MODEL --graph`, or `--onnx FILE` for other programs.
"""

import argparse
import copy
import hashlib
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from rich.console import Console
from torch import Tensor, nn

from models import registry
from models.accelerated import CROPS, NEXT, RESULTS, STATE, accelerate, named_weights
from models.detector import Detector
from models.errors import ModelError, WeightsError
from models.inspection import TOLERANCE, largest_difference
from models.manifest import read_manifest, write_manifest
from models.networks.backbone import ConvNorm
from models.networks.stream import StreamNetwork

if TYPE_CHECKING:
    import onnx

__all__ = ["add_graph", "describe_step", "graph_only", "main"]

OPSET: Final = 18
NETWORK: Final = "network."
TRACKS_TRACED: Final = 2
ELSEWHERE: Final = "weights"
"""What stands for the file of weights in a graph without them; no such file is ever opened."""


class _Step(nn.Module):
    """One look per track: crops uint8 [B, S, S, 3] and the state in, a detector's output and the next state out."""

    def __init__(self, network: StreamNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor, state: list[Tensor]) -> tuple[Tensor, ...]:
        output, after = self.network(crops.unsqueeze(1), tuple(state))
        edges, kinds = torch.sigmoid(output.boundary[:, 0]), torch.softmax(output.attack[:, 0], dim=1)
        return (output.logit[:, 0], edges, kinds, *after)


def describe_step(network: StreamNetwork) -> "onnx.ModelProto":
    """Trace one step as an ONNX model with its weights; dimension 0 of every input and output is the track.

    Raises `ModelError` when onnx and onnxscript (the extra `train`) are not installed.
    """
    fixed = _with_named_buffers(network)
    crops = torch.zeros(TRACKS_TRACED, network.crop_px, network.crop_px, 3, dtype=torch.uint8)
    state = list(fixed.new_state(TRACKS_TRACED))
    tracks = torch.export.Dim("tracks")
    with _quiet():
        program = torch.onnx.export(
            _Step(fixed).eval(),
            (crops, state),
            dynamo=True,
            verbose=False,
            external_data=False,
            optimize=False,
            opset_version=OPSET,
            input_names=[CROPS, *(STATE.format(place) for place in range(len(state)))],
            output_names=[*RESULTS, *(NEXT.format(place) for place in range(len(state)))],
            dynamic_shapes=({0: tracks}, [{0: tracks} for _ in state]),
        )
    assert program is not None
    model = program.model_proto
    _tidy(model)
    return model


def graph_only(model: "onnx.ModelProto", network: StreamNetwork) -> bytes:
    """Take the weights out of a model of `network`; `accelerated` puts them in again by their names."""
    from onnx import ModelProto, TensorProto  # noqa: PLC0415 - an optional extra

    bare = ModelProto()
    bare.CopyFrom(model)
    known = named_weights(network)
    for stored in bare.graph.initializer:
        if stored.name in known:
            stored.ClearField("raw_data")
            stored.data_location = TensorProto.EXTERNAL
            stored.external_data.add(key="location", value=ELSEWHERE)
            stored.external_data.add(key="length", value=str(known[stored.name].nbytes))
    return bytes(bare.SerializeToString(deterministic=True))


def add_graph(name: str, graph: bytes) -> float:
    """Store the graph beside a model's weights and name it in the manifest, once it judges as torch does.

    Returns the largest difference in logits; raises `WeightsError` where it is over the tolerance.
    """
    folder, entry = registry.locate(name)
    detector = registry.load(name, accelerated=False)
    difference = largest_difference(detector, accelerate(detector, graph))
    if difference > TOLERANCE:
        raise WeightsError(f"the graph of model {entry.name} judges otherwise: logits differ by {difference:.2g}")
    named = replace(entry, graph=f"{entry.name}.graph.onnx", graph_sha256=hashlib.sha256(graph).hexdigest())
    (folder / named.graph).write_bytes(graph)
    write_manifest(folder, read_manifest(folder) | {entry.name: named})
    return difference


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the model as ONNX; exit 1 with one line on stderr when that cannot be done."""
    options = _options(arguments)
    try:
        _run(registry.load(options.model, accelerated=False), options)
    except (ModelError, OSError) as error:
        Console(stderr=True).print(f"no ONNX: {error}")
        return 1
    return 0


def _run(detector: Detector, options: argparse.Namespace) -> None:
    if not options.graph and options.onnx is None:
        raise ModelError("nothing to write: name --graph, --onnx FILE or both")
    model = describe_step(detector.network)
    if options.onnx is not None:
        options.onnx.write_bytes(model.SerializeToString(deterministic=True))
    if options.graph:
        difference = add_graph(options.model, graph_only(model, detector.network))
        sys.stdout.write(f"logits with ONNX Runtime are at most {difference:.1g} off torch's\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.exchange", description=__doc__)
    parser.add_argument("model", help="name in `lifesign models list`, or FOLDER/NAME")
    parser.add_argument("--graph", action="store_true", help="add the graph that makes judging on a CPU fast")
    parser.add_argument("--onnx", type=Path, help="write the step with its weights here, for other programs")
    return parser.parse_args(arguments)


def _with_named_buffers(network: StreamNetwork) -> StreamNetwork:
    """Copy a network, the folded convolutions as buffers so that the graph has names for them."""
    fixed = copy.deepcopy(network).cpu().eval()
    for part in fixed.modules():
        if isinstance(part, ConvNorm):
            weight, bias = (value.detach().contiguous() for value in part.folded())
            del part.fixed_weight, part.fixed_bias
            part.register_buffer("fixed_weight", weight)
            part.register_buffer("fixed_bias", bias)
    return fixed


def _tidy(model: "onnx.ModelProto") -> None:
    """Name the weights as the network does, and leave out what only tells where a node was written."""
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
        for place, name in enumerate(node.input):
            node.input[place] = name.removeprefix(NETWORK)
    for stored in model.graph.initializer:
        stored.name = stored.name.removeprefix(NETWORK)
        stored.ClearField("doc_string")
        del stored.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on other libraries off the terminal; errors are raised as ever."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    try:
        import onnxscript  # noqa: F401, PLC0415 - asked for here, so that its absence has a reason and an advice
    except ImportError as error:
        raise ModelError("ONNX needs onnx and onnxscript: pip install 'lifesign[train]'") from error
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
