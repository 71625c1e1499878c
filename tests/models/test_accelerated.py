# SPDX-License-Identifier: Apache-2.0
"""Judging with ONNX Runtime gives what torch gives, from the same one file of weights."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import registry
from models.accelerated import AcceleratedDetector, accelerate, named_weights
from models.detector import Detector
from models.errors import WeightsError
from models.inspection import TOLERANCE, largest_difference
from models.manifest import read_manifest, write_manifest
from models.networks.stream import StreamNetwork

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lifesign[fast]'")
WITH_GRAPH = tuple(name for name in registry.names() if registry.entry(name).graph)


@pytest.fixture(scope="module", params=WITH_GRAPH)
def pair(request: pytest.FixtureRequest) -> tuple[Detector, Detector]:
    """Each shipped model that has a graph, judging with ONNX Runtime and with torch."""
    return registry.load(request.param, accelerated=True), registry.load(request.param, accelerated=False)


def _crops(detector: Detector, tracks: int, step: int) -> torch.Tensor:
    """Soft shapes, not noise alone: blocks of random colour with grain over them."""
    random = torch.Generator().manual_seed(step)
    side = detector.crop_px
    blocks = torch.rand(tracks, 3, 7, 7, generator=random)
    soft = torch.nn.functional.interpolate(blocks, size=(side, side), mode="bilinear").permute(0, 2, 3, 1)
    grain = 0.1 * torch.rand(tracks, side, side, 3, generator=random)
    return (255 * (0.9 * soft + grain)).to(torch.uint8)


def test_the_shipped_models_have_a_graph() -> None:
    """The default model is judged fast wherever the extra is installed."""
    assert registry.names()[0] in WITH_GRAPH
    assert isinstance(registry.load(), AcceleratedDetector)


def test_a_call_is_judged_alike(pair: tuple[Detector, Detector]) -> None:
    """Logits, maps, kinds and every tensor of the state, over five steps in which the tracks change places."""
    fast, plain = pair
    states = [fast.new_state(3), plain.new_state(3)]
    seen = []
    for step in range(5):
        order = torch.randperm(3, generator=torch.Generator().manual_seed(step))
        crops = _crops(fast, 3, step)
        found, states[0] = fast.step(crops, tuple(tensor[order] for tensor in states[0]))
        known, states[1] = plain.step(crops, tuple(tensor[order] for tensor in states[1]))
        for mine, theirs in zip((*found, *states[0]), (*known, *states[1]), strict=True):
            assert mine.dtype == theirs.dtype
            torch.testing.assert_close(mine, theirs, atol=TOLERANCE, rtol=TOLERANCE)
        seen.append(known.logit)
    assert torch.cat(seen).std() > 10 * TOLERANCE  # the pictures do matter, so that agreement means something
    assert largest_difference(fast, plain) < TOLERANCE


def test_a_batch_and_a_clip_are_judged_as_track_by_track(pair: tuple[Detector, Detector]) -> None:
    """Any number of tracks a step; a clip at once is the same as look by look."""
    fast, plain = pair
    crops = _crops(fast, 4, 3)
    together, _ = fast.step(crops, fast.new_state(4))
    for track in range(4):
        alone, _ = fast.step(crops[track : track + 1], fast.new_state(1))
        torch.testing.assert_close(alone.logit[0], together.logit[track], atol=TOLERANCE, rtol=TOLERANCE)
    torch.testing.assert_close(fast.judge_clip(crops), plain.judge_clip(crops), atol=TOLERANCE, rtol=TOLERANCE)


def test_a_state_is_not_changed_in_place(pair: tuple[Detector, Detector]) -> None:
    """A step that fails later must leave the tracks as they were."""
    fast, _ = pair
    state = fast.new_state(2)
    before = [tensor.clone() for tensor in state]
    fast.step(_crops(fast, 2, 1), state)
    assert all(torch.equal(now, then) for now, then in zip(state, before, strict=True))


def test_a_graph_of_other_crops_or_of_nothing_is_refused(pair: tuple[Detector, Detector]) -> None:
    """Also when its hash is right."""
    _, plain = pair
    place, entry = registry.locate(plain.identity.name)
    graph = (place / entry.graph).read_bytes()
    with pytest.raises(WeightsError, match="does not fit"):
        accelerate(plain, graph[:-100])
    other = replace(plain, network=_other_side(plain))
    with pytest.raises(WeightsError, match="other crops"):
        accelerate(other, graph)


def _other_side(plain: Detector) -> StreamNetwork:
    network = StreamNetwork(plain.crop_px + 16).eval()
    network.load_state_dict(plain.network.state_dict())
    return network.requires_grad_(requires_grad=False)


def test_an_altered_graph_is_refused(tmp_path: Path) -> None:
    """Its hash is in the manifest as that of the weights is."""
    folder = Path(shutil.copytree(registry.WEIGHTS, tmp_path / "weights"))
    file = folder / registry.entry().graph
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="was altered"):
        registry.load("default", "cpu", folder)
    assert registry.load("default", "cpu", folder, accelerated=False).crop_px


def test_a_model_without_a_graph_is_judged_by_torch(tmp_path: Path) -> None:
    """As is any model where ONNX Runtime is not installed; who asks for it is told what to do."""
    folder = Path(shutil.copytree(registry.WEIGHTS, tmp_path / "weights"))
    entries = read_manifest(folder)
    name = next(iter(entries))
    write_manifest(folder, entries | {name: replace(entries[name], graph="", graph_sha256="")})
    assert not isinstance(registry.load(name, "cpu", folder), AcceleratedDetector)
    with pytest.raises(WeightsError, match="export it again"):
        registry.load(name, "cpu", folder, accelerated=True)


def test_torch_judges_where_the_runtime_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional."""
    monkeypatch.setattr(registry, "can_accelerate", lambda: False)
    assert not isinstance(registry.load(), AcceleratedDetector)


def test_the_graph_holds_no_weights() -> None:
    """A few kilobytes; what it judges with is the one file whose hash the manifest states."""
    entry = registry.entry()
    graph = (registry.WEIGHTS / entry.graph).read_bytes()
    assert hashlib.sha256(graph).hexdigest() == entry.graph_sha256
    assert len(graph) < 250_000
    weights = named_weights(registry.load(accelerated=False).network)
    assert sum(value.nbytes for value in weights.values()) > 10_000_000
