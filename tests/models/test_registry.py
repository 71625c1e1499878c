# SPDX-License-Identifier: Apache-2.0
"""Every registered model keeps its contract; a file that does not fit its manifest entry is refused."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from models import registry
from models.detector import Detector
from models.errors import ModelError, WeightsError


@pytest.fixture(scope="module", params=registry.names())
def detector(request: pytest.FixtureRequest) -> Detector:
    """Each registered model."""
    return registry.load(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the weights that a test may spoil."""
    return Path(shutil.copytree(registry.WEIGHTS, tmp_path / "weights"))


def _edit(folder: Path, old: str, new: str) -> None:
    manifest = folder / "manifest.toml"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))


def _refused(folder: Path) -> pytest.ExceptionInfo[WeightsError]:
    with pytest.raises(WeightsError) as refusal:
        registry.load("default", "cpu", folder)
    return refusal


def test_keeps_the_contract(detector: Detector) -> None:
    """Crops of the stated size give one finite logit and one map per track; the state keeps shape and type."""
    state = detector.new_state(2)
    shapes = [tensor.shape for tensor in state]
    for level in (0, 128, 255):
        crops = torch.full((2, detector.crop_px, detector.crop_px, 3), level, dtype=torch.uint8)
        output, state = detector.step(crops, state)
        assert output.logit.shape == (2,)
        assert output.logit.dtype == torch.float32
        assert output.logit.isfinite().all()
        assert output.boundary.shape[0] == 2
        assert 0.0 <= float(output.boundary.min()) <= float(output.boundary.max()) <= 1.0
        assert [tensor.shape for tensor in state] == shapes
    assert detector.samples_per_s > 0
    assert len(detector.identity.sha256) == 64


def test_tracks_are_independent_of_the_batch(detector: Detector) -> None:
    """A track judged alone and in a batch gets the same logit."""
    random = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (3, detector.crop_px, detector.crop_px, 3), dtype=torch.uint8, generator=random)
    together, _ = detector.step(crops, detector.new_state(3))
    for track in range(3):
        alone, _ = detector.step(crops[track : track + 1], detector.new_state(1))
        torch.testing.assert_close(alone.logit[0], together.logit[track], atol=1e-3, rtol=1e-3)


def test_a_clip_at_once_is_judged_as_step_by_step(detector: Detector) -> None:
    """Evaluation sees what a live call sees."""
    random = torch.Generator().manual_seed(1)
    crops = torch.randint(0, 256, (5, detector.crop_px, detector.crop_px, 3), dtype=torch.uint8, generator=random)
    state, logits = detector.new_state(1), []
    for crop in crops:
        output, state = detector.step(crop.unsqueeze(0), state)
        logits.append(output.logit)
    torch.testing.assert_close(detector.judge_clip(crops), torch.cat(logits), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "crops",
    [
        torch.zeros(1, 64, 64, 3, dtype=torch.uint8),
        torch.zeros(1, 112, 112, 3),
        torch.zeros(1, 3, 112, 112, dtype=torch.uint8),
        torch.zeros(112, 112, 3, dtype=torch.uint8),
    ],
)
def test_wrong_crops_are_refused(detector: Detector, crops: torch.Tensor) -> None:
    """Another size, type or order of dimensions."""
    with pytest.raises(ValueError, match="crops must be uint8"):
        detector.step(crops, detector.new_state(1))


def test_default_is_the_first(detector: Detector) -> None:
    """`default` names a registered model, and its identity is that of the file."""
    default = registry.load()
    assert default.identity.name == registry.names()[0]
    file = registry.WEIGHTS / registry.entry().file
    assert default.identity.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_weights_are_small() -> None:
    """Every weight file is under 25 MB."""
    assert all((registry.WEIGHTS / registry.entry(name).file).stat().st_size < 25e6 for name in registry.names())


def test_every_model_has_a_card() -> None:
    """The card names the model's file and says what it cannot see."""
    for name in registry.names():
        text = registry.card(name)
        assert registry.entry(name).sha256 in text
        assert "cannot see" in text


def test_one_changed_byte_is_refused(folder: Path) -> None:
    """The hash of the weights is checked."""
    file = folder / registry.entry().file
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert "was altered" in str(_refused(folder).value)


def test_a_changed_calibration_is_refused(folder: Path) -> None:
    """Thresholds are as dear as weights."""
    file = folder / registry.entry().calibration
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"llr_origin": -9.0}))
    assert "was altered" in str(_refused(folder).value)


def test_a_missing_file_is_refused(folder: Path) -> None:
    """With what to do next."""
    (folder / registry.entry().file).unlink()
    assert "install lifesign again" in str(_refused(folder).value)


@pytest.mark.parametrize("field", ["licence", "sha256", "contract", "trained_on"])
def test_an_empty_field_is_refused(field: str, folder: Path) -> None:
    """A model without licence, hash, contract or origin must not be used."""
    value = getattr(registry.entry(), field)
    _edit(folder, f'{field} = "{value}"', f'{field} = ""')
    assert f"lacks {field}" in str(_refused(folder).value)


def test_another_contract_is_refused(folder: Path) -> None:
    """A model made for other crops would give nonsense."""
    _edit(folder, registry.entry().contract, "face-rgb8-224-margin2-v9")
    assert "face-rgb8-224-margin2-v9" in str(_refused(folder).value)


def test_tensors_of_another_network_are_refused(folder: Path) -> None:
    """The hash may fit and the network still not."""
    entry = registry.entry()
    file = folder / entry.file
    tensors = load(file.read_bytes())
    tensors.pop("still.weight")
    file.write_bytes(save(tensors))
    _edit(folder, entry.sha256, hashlib.sha256(file.read_bytes()).hexdigest())
    assert "do not fit" in str(_refused(folder).value)


def test_unknown_names_and_broken_manifests_are_refused(tmp_path: Path) -> None:
    """The error is of this package's own tree and lists what there is."""
    with pytest.raises(ModelError, match=registry.names()[0]):
        registry.load("no-such-model")
    (tmp_path / "manifest.toml").write_text("not toml [")
    with pytest.raises(WeightsError, match="cannot be read"):
        registry.load("default", "cpu", tmp_path)
