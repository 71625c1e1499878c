# SPDX-License-Identifier: Apache-2.0
"""What is printed of the models."""

import json
import shutil

import pytest

from models import registry
from models.errors import WeightsError
from models.parts import parts
from monitor.errors import ModelError
from monitor.liveness import catalog


def test_every_model_is_listed_and_the_first_is_the_default():
    """Each name of the manifest appears with its licence; exactly one is marked."""
    text = catalog.listing()
    assert text.count("(default)") == 1
    for name, entry in registry.read_manifest(registry.WEIGHTS).items():
        assert name in text
        assert entry.licence in text
        assert entry.sha256[:12] in text


def test_the_list_for_machines_is_json():
    """Objects with the whole hash and the contract; the default is named."""
    rows = json.loads(json.dumps(catalog.listing(json=True)))
    assert [row["name"] for row in rows] == [*registry.names(), *parts()]
    assert [row["default"] for row in rows] == [True] + [False] * (len(rows) - 1)
    assert all(len(row["sha256"]) == 64 and row["licence"] and row["parameters"] for row in rows)
    assert all(row["contract"] for row in rows[: len(registry.names())])


@pytest.mark.parametrize("name", list(parts()))
def test_networks_of_cues_are_listed_checked_and_described(name):
    """Whatever has weights can be asked about: a line, a check of the file, a card that names its licence."""
    assert f"{name} (cue " in catalog.listing()
    assert set(catalog.check(name, json=True)) == {"weights", "licence", "card"}
    assert parts()[name].licence.split()[0] in catalog.card(name)


def test_a_card_is_printed_as_it_is(monkeypatch):
    """The card's text is the model's, unchanged."""
    monkeypatch.setattr(registry, "card", lambda name: f"# {name}\n")
    assert catalog.card("default") == "# default\n"


def test_a_name_that_is_not_there_is_an_error_with_advice():
    """The names that exist are told."""
    with pytest.raises(ModelError, match="no model is named 'nonsense'") as caught:
        catalog.card("nonsense")
    assert registry.names()[0] in str(caught.value)
    assert "lifesign models list" in caught.value.advice


def test_a_broken_manifest_is_a_start_error(monkeypatch):
    """Not a traceback: a code, what happened, what to do."""

    def broken(folder):
        raise WeightsError("the list of models cannot be read")

    monkeypatch.setattr(registry, "read_manifest", broken)
    with pytest.raises(ModelError, match="list of models cannot be read") as caught:
        catalog.listing()
    assert (caught.value.code, caught.value.exit_code) == ("model", 3)


def test_models_of_another_folder_are_listed(tmp_path):
    """Networks that a user trained live in a folder of their own."""
    folder = shutil.copytree(registry.WEIGHTS, tmp_path / "weights")
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace(f"[{registry.names()[0]}]", "[office]", 1))
    assert catalog.listing(folder).startswith("office (default)")
    assert catalog.listing(folder, json=True)[0]["crop_px"] == registry.entry().crop_px


def test_a_check_says_what_was_checked():
    """Files, contract, licence and card of the shipped model, and what judges here."""
    facts = catalog.check("default", json=True)
    assert list(facts) == ["weights", "calibration", "input", "licence", "card", "judged by"]
    assert facts["licence"] == registry.entry().licence
    assert f"{registry.entry().crop_px} px" in facts["input"]


def test_a_changed_file_fails_the_check(tmp_path):
    """One byte of the weights: the error names the file and says what to do."""
    folder = shutil.copytree(registry.WEIGHTS, tmp_path / "weights")
    file = folder / registry.entry().file
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="was altered"):
        catalog.check(str(folder / registry.names()[0]))
