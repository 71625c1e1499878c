# SPDX-License-Identifier: Apache-2.0
"""Each thing of the service, broken on purpose, and the advice for it."""

import base64
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from pydantic import SecretStr

from monitor import doctor_service
from monitor.config import (
    EvidenceSettings,
    HttpSettings,
    IceServer,
    LivenessSettings,
    MqttSettings,
    MqttTls,
    PathsSettings,
    Settings,
    WhipSettings,
)
from monitor.errors import LifesignError
from monitor.publish.explanations.seal import Seal
from tests.fakes.brokers import Authority, Mosquitto
from tests.fakes.media import sample


def advice(check: Callable[[Settings], str], settings: Settings) -> tuple[str, str]:
    """What a failing check says."""
    with pytest.raises(LifesignError) as caught:
        check(settings)
    return caught.value.what, caught.value.advice


@pytest.fixture
def taken() -> Iterator[int]:
    """A TCP port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def pair(tmp_path: Path) -> HttpSettings:
    """HTTP settings with a certificate of 90 days and its key."""
    return certified(tmp_path, datetime.now(UTC) + timedelta(days=90))


def certified(tmp_path: Path, until: datetime) -> HttpSettings:
    """HTTP settings with a certificate that ends then."""
    issued = trustme.CA().issue_cert("localhost", not_after=until)
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return HttpSettings(tls_certificate=certificate, tls_key=key)


def test_an_environment_name_that_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that was meant is told."""
    assert doctor_service.environment(Settings())
    monkeypatch.setenv("LIFESIGN_HTP__PORT", "1")
    assert "LIFESIGN_HTP__PORT (did you mean LIFESIGN_HTTP__PORT?)" in advice(doctor_service.environment, Settings())[0]


def test_a_missing_asset(tmp_path: Path) -> None:
    """Command and place."""
    what, do = advice(doctor_service.needed_assets, Settings(paths=PathsSettings(cache=tmp_path)))
    assert f"face_landmarker.task is not at {tmp_path}" in what
    assert do.startswith("Run `lifesign setup`; by hand: mkdir -p")


def test_an_altered_asset(tmp_path: Path) -> None:
    """A damaged download is to be deleted first."""
    file = tmp_path / "assets" / "face_landmarker.task"
    file.parent.mkdir()
    file.write_bytes(b"half")
    what, do = advice(doctor_service.needed_assets, Settings(paths=PathsSettings(cache=tmp_path)))
    assert "4 bytes instead of 3,758,596" in what
    assert do.startswith("Delete the altered file")


def test_assets_that_are_here() -> None:
    """The cache that tests use is whole."""
    sample("face_landmarker")
    assert "face_landmarker" in doctor_service.needed_assets(Settings())


def test_the_face_finder_starts() -> None:
    """The real model looks at a real picture."""
    sample("face_landmarker")
    assert "no face" in doctor_service.face_finder(Settings())


def test_weights_that_are_not_known() -> None:
    """A wrong name is told with the command that lists the right ones."""
    what, do = advice(doctor_service.weights, Settings(liveness=LivenessSettings(model="nobody")))
    assert "nobody" in what
    assert "lifesign models list" in do


def test_a_port_that_is_taken(taken: int) -> None:
    """Address, cause, and the keys to change."""
    what, do = advice(doctor_service.http_port, Settings(http=HttpSettings(port=taken)))
    assert f"127.0.0.1:{taken}: Address already in use" in what
    assert "http.port" in do


def test_an_address_of_another_machine() -> None:
    """Only own addresses can be listened on."""
    assert "192.0.2.77" in advice(doctor_service.http_port, Settings(http=HttpSettings(host="192.0.2.77")))[0]


def test_a_free_port() -> None:
    """Port 0 always is."""
    assert "is free" in doctor_service.http_port(Settings(http=HttpSettings(port=0)))


def test_tls_that_is_fine(pair: HttpSettings) -> None:
    """Days left are told."""
    assert "valid for 89 days" in doctor_service.tls(Settings(http=pair))
    assert "off" in doctor_service.tls(Settings())


def test_a_certificate_that_expired(tmp_path: Path) -> None:
    """The date is told."""
    what, do = advice(doctor_service.tls, Settings(http=certified(tmp_path, datetime(2020, 5, 1, tzinfo=UTC))))
    assert "expired on 2020-05-01" in what
    assert "Renew" in do


def test_a_certificate_that_expires_soon(tmp_path: Path) -> None:
    """Two weeks ahead there is a hint."""
    settings = Settings(http=certified(tmp_path, datetime.now(UTC) + timedelta(days=5)))
    assert "renew it soon" in doctor_service.tls(settings)


def test_a_key_of_another_certificate(pair: HttpSettings, tmp_path: Path) -> None:
    """The pair must fit."""
    other = tmp_path / "other.pem"
    trustme.CA().private_key_pem.write_to_path(other)
    broken = pair.model_copy(update={"tls_key": other})
    assert "of one pair" in advice(doctor_service.tls, Settings(http=broken))[1]


def test_a_certificate_that_is_missing(pair: HttpSettings, tmp_path: Path) -> None:
    """The path is told."""
    broken = pair.model_copy(update={"tls_certificate": tmp_path / "gone.pem"})
    assert "gone.pem" in advice(doctor_service.tls, Settings(http=broken))[0]


def test_udp_over_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall that drops datagrams is found."""
    assert doctor_service.udp(Settings())
    monkeypatch.setattr(socket.socket, "sendto", lambda *_: 0)
    monkeypatch.setattr(socket.socket, "settimeout", lambda self, _: self.setblocking(False))
    assert "firewall" in advice(doctor_service.udp, Settings())[1]


def test_ice_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without a network cannot take part in a call."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: [])
    assert "other than loopback" in advice(doctor_service.ice, Settings())[1]


@pytest.mark.timeout(40)
def test_a_stun_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Server and port are named."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])
        whip = WhipSettings(ice_servers=(IceServer(url=f"stun:127.0.0.1:{port}"),))
        what, do = advice(doctor_service.ice, Settings(whip=whip))
    assert f"127.0.0.1:{port} did not answer" in what
    assert "whip.ice_servers" in do


def test_an_outbox_folder_that_cannot_be(tmp_path: Path) -> None:
    """A file in the way, or a folder without rights."""
    (tmp_path / "state").write_text("not a folder")
    what, do = advice(doctor_service.outbox, Settings(paths=PathsSettings(state=tmp_path / "state")))
    assert "cannot be written" in what
    assert "mqtt.outbox or paths.state" in do


def test_an_outbox_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Space for a full outbox must be there beforehand."""
    settings = Settings(paths=PathsSettings(state=tmp_path))
    assert "GB free" in doctor_service.outbox(settings)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000))
    what, do = advice(doctor_service.outbox, settings)
    assert "3 MB left" in what
    assert "Free space" in do


def test_the_embedded_broker_starts() -> None:
    """The real one, on a free port."""
    assert "starts on 127.0.0.1" in doctor_service.broker(Settings(mqtt=MqttSettings(port=0)))


def test_the_embedded_brokers_port_is_taken(taken: int) -> None:
    """Another broker on this machine is the usual cause."""
    what, do = advice(doctor_service.broker, Settings(mqtt=MqttSettings(port=taken)))
    assert str(taken) in what
    assert "mqtt.port" in do


def test_an_external_broker_that_is_away(taken: int) -> None:
    """Address, cause, and the keys to check."""
    mqtt = MqttSettings(broker="external", port=1)
    what, do = advice(doctor_service.broker, Settings(mqtt=mqtt))
    assert "127.0.0.1:1" in what
    assert "mqtt.host" in do


def test_an_external_broker_that_never_answers(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Something else listens there; the check ends in time."""
    monkeypatch.setattr(doctor_service, "NETWORK_TIMEOUT_S", 1.0)
    mqtt = MqttSettings(broker="external", port=taken, publish_timeout_s=0.5)
    assert advice(doctor_service.broker, Settings(mqtt=mqtt))[1]


def test_an_external_broker_takes_our_credentials_or_says_no(tmp_path: Path) -> None:
    """The right password is fine over TLS; a wrong one is told as a refusal."""
    authority = Authority(tmp_path)
    with Mosquitto(tmp_path / "broker", password=("lifesign", "right"), tls=authority) as running:
        link = {"broker": "external", "port": running.port, "username": "lifesign", "tls": MqttTls(ca=authority.ca)}
        right = Settings(mqtt=MqttSettings.model_validate(link | {"password": "right"}))
        assert "takes us, MQTT 5, TLS" in doctor_service.broker(right)
        wrong = Settings(mqtt=MqttSettings.model_validate(link | {"password": "wrong"}))
        assert "mqtt.password" in advice(doctor_service.broker, wrong)[1]


def test_no_broker_is_a_choice() -> None:
    """mqtt.broker none is fine."""
    assert "off" in doctor_service.broker(Settings(mqtt=MqttSettings(broker="none")))


def kept(path: Path, key: bytes = bytes(32), **more: object) -> Settings:
    """Settings with pictures on."""
    sealed = SecretStr(base64.b64encode(key).decode())
    return Settings(evidence=EvidenceSettings(pictures=True, key=sealed, folder=path, **more))


def test_pictures_are_off_or_their_folder_is_fine(tmp_path: Path) -> None:
    """Off, nothing is made; on, the folder is tried and left empty."""
    assert doctor_service.pictures(Settings(evidence=EvidenceSettings(folder=tmp_path / "p"))).startswith("off")
    assert not (tmp_path / "p").exists()
    assert "deleted after 72 h" in doctor_service.pictures(kept(tmp_path / "p"))
    assert list((tmp_path / "p").iterdir()) == []


def test_pictures_that_cannot_be_kept_or_read(tmp_path: Path) -> None:
    """A folder that is a file, a disk too small, and another key are each told with what to do."""
    (tmp_path / "file").write_bytes(b"")
    what, cure = advice(doctor_service.pictures, kept(tmp_path / "file"))
    assert "cannot be written" in what
    assert "evidence.folder" in cure
    what, cure = advice(doctor_service.pictures, kept(tmp_path / "p", most_mib=1 << 40))
    assert "MB left" in what
    (tmp_path / "p" / "alert-1.sealed").write_bytes(Seal(bytes(range(32))).close("alert-1", b""))
    what, cure = advice(doctor_service.pictures, kept(tmp_path / "p"))
    assert what.startswith("1 files")
    assert "evidence.key" in cure
