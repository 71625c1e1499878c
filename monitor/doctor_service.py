# SPDX-License-Identifier: Apache-2.0
"""Settings in; checks of files, weights, ports, network, outbox and broker out."""

import asyncio
import secrets
import shutil
import socket
import ssl
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from monitor import assets
from monitor.assets import Group
from monitor.config import MqttSettings, Settings
from monitor.errors import AssetError, OutboxError, PicturesError, StartError
from monitor.settings_file import unknown_environment
from monitor.values import ChallengeKind

__all__ = [
    "broker",
    "environment",
    "face_finder",
    "http_port",
    "ice",
    "needed_assets",
    "outbox",
    "pictures",
    "recogniser",
    "tls",
    "udp",
    "weights",
]

OUTBOX_SPACE_BYTES: Final = 100_000_000
"""A full outbox of 100,000 alerts of about 1 kB each."""
EXPIRES_SOON: Final = timedelta(days=14)
NETWORK_TIMEOUT_S: Final = 10.0
STUN_PORT: Final = 3478
"""RFC 8489, section 18.6."""
Answer = TypeVar("Answer")


def environment(_settings: Settings) -> str:
    """Every LIFESIGN_ name in the environment sets something."""
    unknown = unknown_environment()
    if unknown:
        listed = ", ".join(f"{name} (did you mean {near}?)" if near else name for name, near in unknown.items())
        raise StartError(f"Environment names that set nothing: {listed}.", "Correct or unset them.")
    return "no unknown LIFESIGN_ names"


def needed_assets(settings: Settings) -> str:
    """Every file the service needs is in the cache, to the last bit."""
    wanted = assets.in_groups([Group.RUN])
    faults = {asset: assets.fault(asset, assets.destination(asset, settings.paths.cache)) for asset in wanted}
    broken = {asset: fault for asset, fault in faults.items() if fault is not None}
    if broken:
        ways = " ".join(assets.by_hand(asset, settings.paths.cache) for asset in broken)
        delete = "Delete the altered file, then run" if any(fault.altered for fault in broken.values()) else "Run"
        what = " ".join(fault.what for fault in broken.values())
        raise AssetError(what, f"{delete} `lifesign setup`; by hand: {ways}")
    return f"{', '.join(asset.name for asset in wanted)} in {settings.paths.cache}"


def face_finder(settings: Settings) -> str:
    """MediaPipe's networks start and look at a picture."""
    import numpy as np

    from monitor.faces.finder import FaceFinder, runtime
    from monitor.values import Frame, Picture

    grey = Picture(np.full((360, 320), 128, np.uint8))
    finder = FaceFinder(settings.faces, assets.path("face_landmarker", settings.paths.cache), "doctor", "doctor")
    try:
        finder.look(Frame("doctor", "doctor", 0.0, 0.0, grey))
    finally:
        finder.close()
    return f"{runtime(settings.faces)} finds no face in a grey picture"


def weights(settings: Settings) -> str:
    """The network loads, and its file is the one its card describes."""
    from monitor.liveness.engine import Engine

    async def load() -> str:
        async with Engine(settings.liveness) as engine:
            name, digest = engine.identity
            return f"{name}, SHA-256 {digest[:12]}…"

    return asyncio.run(load())


def recogniser(settings: Settings) -> str:
    """Spoken digits can be understood, where they may be asked for at all."""
    from monitor.liveness.challenge import digits

    if ChallengeKind.SAY_DIGITS not in settings.challenge.kinds:
        return "not needed: challenge.kinds leaves say_digits out"
    return digits.recogniser()


def http_port(settings: Settings) -> str:
    """The service can listen where it shall."""
    http = settings.http
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((http.host, http.port))
            listener.listen()
        except OSError as error:
            raise StartError(
                f"Cannot listen on {http.host}:{http.port}: {error.strerror}.",
                "Stop the program that holds the port (a running lifesign?), or set http.host and http.port.",
            ) from error
    return f"{http.host}:{http.port} is free"


def tls(settings: Settings) -> str:
    """The certificate and key for HTTPS fit together and are valid today."""
    http = settings.http
    if http.tls_certificate is None or http.tls_key is None:
        return "off; browsers publish cameras over HTTPS or from localhost only"
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(http.tls_certificate, http.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise StartError(
            f"{http.tls_certificate} and {http.tls_key} cannot be used: {error}.",
            "Check http.tls_certificate and http.tls_key: both PEM, readable, and of one pair.",
        ) from error
    return _valid_today(http.tls_certificate)


def udp(_settings: Settings) -> str:
    """A UDP datagram reaches this machine from itself."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        here.settimeout(2.0)
        try:
            here.bind(("127.0.0.1", 0))
            there.sendto(b"lifesign", here.getsockname())
            here.recv(16)
        except OSError as error:
            raise StartError(
                f"No UDP over loopback: {error}.", "Allow UDP in the firewall or the container's security profile."
            ) from error
    return "datagrams pass over loopback"


def ice(settings: Settings) -> str:
    """Candidates for WebRTC can be gathered, and a configured STUN server answers."""
    stun = _stun_server(settings)
    found = asyncio.run(_limited(_candidates(stun)))
    if not found:
        raise StartError(
            "No ICE candidates: no network interface has a usable address.",
            "Give the machine or container an address other than loopback (for example network_mode: host).",
        )
    if stun is not None and not any(kind == "srflx" for kind, _ in found):
        raise StartError(
            f"The STUN server {stun[0]}:{stun[1]} did not answer.",
            "Check whip.ice_servers and that UDP may leave this machine.",
        )
    return ", ".join(f"{kind} {address}" for kind, address in found)


def outbox(settings: Settings) -> str:
    """The folder of the outbox can be written and has space."""
    from monitor.publish.delivery import outbox_path

    folder = outbox_path(settings).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutboxError(
            f"The outbox folder {folder} cannot be written: {error.strerror}.",
            "Give the service's user the right to write there, or set mqtt.outbox or paths.state.",
        ) from error
    if free < OUTBOX_SPACE_BYTES:
        raise OutboxError(
            f"{folder} has {free / 1e6:.0f} MB left; a full outbox takes {OUTBOX_SPACE_BYTES / 1e6:.0f} MB.",
            "Free space there, or set mqtt.outbox to another disk.",
        )
    return f"{folder}, {free / 1e9:.1f} GB free"


def pictures(settings: Settings) -> str:
    """Pictures are off, or their folder can be written and read with this key, and has room."""
    from monitor.publish.explanations.album import open_album

    if not settings.evidence.pictures:
        return "off; no picture of a face is kept"
    album = open_album(settings)
    album.prepare()
    album.check_key()
    free, most = shutil.disk_usage(album.folder.path).free, settings.evidence.most_mib << 20
    if free < most:
        raise PicturesError(
            f"{album.folder.path} has {free / 1e6:.0f} MB left; pictures may take {most / 1e6:.0f} MB.",
            "Free space there, set evidence.most_mib lower, or evidence.folder to another disk.",
        )
    return f"{album.folder.path}, sealed, deleted after {settings.evidence.keep_h:g} h"


def broker(settings: Settings) -> str:
    """The embedded broker starts, or the external one takes our credentials."""
    if settings.mqtt.broker == "none":
        return "off; events go to stdout and HTTP only"
    if settings.mqtt.broker == "embedded":
        return asyncio.run(_limited(_embedded(settings.mqtt)))
    return asyncio.run(_limited(_external(settings.mqtt)))


async def _embedded(settings: MqttSettings) -> str:
    from monitor.publish.broker import EmbeddedBroker

    embedded = EmbeddedBroker(settings)
    await embedded.start()
    try:
        return f"the embedded broker starts on {embedded.host}:{embedded.port}"
    finally:
        await embedded.stop()


async def _external(settings: MqttSettings) -> str:
    """Connect under a client id of our own, so that a running service keeps its connection."""
    from monitor.publish.mqtt import Endpoint, connect, tls_context

    if settings.tls is not None and settings.tls.certificate is not None:
        _valid_today(settings.tls.certificate)
    endpoint = Endpoint(settings.host, settings.port, settings, tls_context(settings))
    async with connect(endpoint, f"lifesign-doctor-{secrets.token_hex(4)}"):
        return f"{endpoint} takes us, MQTT {settings.version}{', TLS' if settings.tls else ''}"


async def _candidates(stun: tuple[str, int] | None) -> tuple[tuple[str, str], ...]:
    import aioice

    connection = aioice.Connection(ice_controlling=True, stun_server=stun)
    try:
        await connection.gather_candidates()
        return tuple((candidate.type, candidate.host) for candidate in connection.local_candidates)
    finally:
        await connection.close()


def _stun_server(settings: Settings) -> tuple[str, int] | None:
    """Host and port of the first STUN server."""
    for server in settings.whip.ice_servers:
        scheme, _, rest = server.url.partition(":")
        if scheme == "stun":
            host, _, port = rest.partition("?")[0].rpartition(":")
            return (host, int(port)) if host else (port, STUN_PORT)
    return None


def _valid_today(certificate: Path) -> str:
    from cryptography import x509

    subject = x509.load_pem_x509_certificate(certificate.read_bytes())
    left = subject.not_valid_after_utc - datetime.now(UTC)
    if left < timedelta():
        raise StartError(
            f"{certificate} expired on {subject.not_valid_after_utc:%Y-%m-%d}.", "Renew the certificate and restart."
        )
    if subject.not_valid_before_utc > datetime.now(UTC):
        raise StartError(
            f"{certificate} is valid from {subject.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on.", "Check the clock."
        )
    return f"{certificate} is valid for {left.days} days{'; renew it soon' if left < EXPIRES_SOON else ''}"


async def _limited(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        async with asyncio.timeout(NETWORK_TIMEOUT_S):
            return await work
    except TimeoutError as error:
        raise StartError(
            f"No answer within {NETWORK_TIMEOUT_S:g} s.", "Check address and port, and that no firewall drops packets."
        ) from error
