# SPDX-License-Identifier: Apache-2.0
"""A model leaves as ONNX: whole for other programs, as a bare graph for this one."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from models import exchange, registry
from models.accelerated import AcceleratedDetector
from models.calibration import Calibration
from models.errors import WeightsError
from models.export import pack, write_entry
from models.networks.stream import StreamNetwork

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'lifesign[train]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'lifesign[train]'")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lifesign[fast]'")

SIDE_PX = 64


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A small untrained model in a folder of its own."""
    torch.manual_seed(3)
    network = StreamNetwork(SIDE_PX)
    torch.nn.init.normal_(network.moving.weight, std=0.2)
    calibration = Calibration((0.0, 1.0), (1.0, 2.0), 1.0, 0.0)
    write_entry(tmp_path, "own", pack(network.state_dict()), calibration, SIDE_PX)
    return str(tmp_path / "own")


@pytest.mark.slow
@pytest.mark.timeout(600)  # the exporter of torch takes ten seconds of a free core, more of a busy one
def test_a_model_leaves_as_onnx_and_comes_back_judging_alike(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file with weights runs in a plain session; the graph without them is named, verified and judged with."""
    file = tmp_path / "step.onnx"
    assert exchange.main([model, "--graph", "--onnx", str(file)]) == 0
    assert "off torch's" in capsys.readouterr().out
    fast, plain = registry.load(model), registry.load(model, accelerated=False)
    assert isinstance(fast, AcceleratedDetector)
    onnx.checker.check_model(str(file))
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    state, known_state = [value.numpy() for value in plain.new_state(3)], plain.new_state(3)
    names = [given.name for given in session.get_inputs()]
    for step in range(4):
        order = np.random.default_rng(step).permutation(3)
        state, known_state = [value[order] for value in state], tuple(value[order] for value in known_state)
        crops = torch.randint(0, 256, (3, SIDE_PX, SIDE_PX, 3), dtype=torch.uint8)
        found = session.run(None, dict(zip(names, [crops.numpy(), *state], strict=True)))
        known, known_state = plain.step(crops, known_state)
        state = found[3:]
        np.testing.assert_allclose(found[0], known.logit.numpy(), atol=1e-3)
        for mine, theirs in zip(state, known_state, strict=True):
            np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-3, rtol=1e-3)
    place, entry = registry.locate(model)
    assert len((place / entry.graph).read_bytes()) < 250_000 < file.stat().st_size


def test_a_graph_that_judges_otherwise_is_not_stored(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model stays as it was."""
    monkeypatch.setattr(exchange, "accelerate", lambda detector, graph: detector)
    monkeypatch.setattr(exchange, "largest_difference", lambda one, other: 0.01)
    with pytest.raises(WeightsError, match="judges otherwise"):
        exchange.add_graph(model, b"graph")
    assert registry.entry(model).graph == ""
    assert not list(Path(model).parent.glob("*.onnx"))


@pytest.mark.parametrize(("given", "words"), [(["default"], "name --graph"), (["nobody", "--graph"], "no model")])
def test_what_cannot_be_written_ends_with_one_line(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, no traceback."""
    assert exchange.main(given) == 1
    assert words in capsys.readouterr().err


def test_a_name_is_only_given_to_a_graph_of_the_same_weights(model: str) -> None:
    """New weights under an old name have no graph until it is made; a new calibration leaves it."""
    folder, entry = registry.locate(model)
    named = dataclasses.replace(entry, graph="own.graph.onnx", graph_sha256="0" * 64)
    exchange.write_manifest(folder, {"own": named})
    weights = (folder / entry.file).read_bytes()
    write_entry(folder, "own", weights, Calibration((0.0, 2.0), (1.0, 2.0), 1.0, 0.0), SIDE_PX)
    assert registry.entry(model).graph == "own.graph.onnx"
    assert registry.entry(model).calibration_sha256 != entry.calibration_sha256
    torch.manual_seed(4)
    write_entry(
        folder, "own", pack(StreamNetwork(SIDE_PX).state_dict()), Calibration((0.0, 2.0), (1.0, 2.0), 1.0, 0.0), SIDE_PX
    )
    assert registry.entry(model).graph == ""
