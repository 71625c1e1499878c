# SPDX-License-Identifier: Apache-2.0
"""The files of deploy/, tried where that is possible on one machine."""

import getpass
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML

from monitor import doctor_service, readings
from monitor.config import MqttSettings, Settings
from monitor.doctor_machine import LIBRARIES
from monitor.metrics import Metrics
from monitor.readings import CAPTURE, ENGINE, LOAD, PUBLISH
from monitor.settings_file import unknown_environment
from tests.fakes.brokers import MOSQUITTO, Mosquitto, free_port

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda file: file.name)
def test_yaml_is_yaml(file: Path) -> None:
    """Without doubled keys."""
    assert YAML(typ="safe").load(file.read_text())


def test_prometheus_rules_use_metrics_that_exist() -> None:
    """A renamed metric would silence an alarm."""
    shown = set(re.findall(r"^# TYPE (\S+)", Metrics().text().decode(), re.MULTILINE))
    named = re.findall(r'Reading\(\s*"(\w+)"', Path(readings.__file__).read_text())
    known = shown | {f"lifesign_{name}" for table in (CAPTURE, ENGINE, LOAD, PUBLISH, named) for name in table}
    used = set(re.findall(r"lifesign_\w+", (DEPLOY / "prometheus" / "alerts.yml").read_text()))
    assert used <= known


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "systemd/lifesign.service"])
def test_environment_names_set_something(name: str) -> None:
    """A typo would set nothing, in silence."""
    used = set(re.findall(r"LIFESIGN_[A-Z_]+", (DEPLOY / name).read_text()))
    assert used
    assert unknown_environment(dict.fromkeys(used, "")) == {}


def test_the_container_installs_the_libraries_that_doctor_asks_for() -> None:
    """MediaPipe needs them in a container too."""
    text = (DEPLOY / "Dockerfile").read_text()
    assert all(package in text for package in LIBRARIES.values())


def test_the_brokers_configuration_lets_the_monitor_in_and_nobody_else(tmp_path: Path) -> None:
    """The real mosquitto takes the file; the password counts."""
    if not shutil.which("mosquitto_passwd"):
        pytest.skip("mosquitto_passwd is missing: install the Debian package mosquitto")
    port = free_port()
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
    text = (
        text.replace("/mosquitto/config", str(tmp_path))
        .replace("/mosquitto/data", str(tmp_path))
        .replace("1883", str(port))
    )
    (tmp_path / "mosquitto.conf").write_text(f"user {getpass.getuser()}\n{text}")
    shutil.copy(DEPLOY / "mosquitto" / "acl", tmp_path)
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(tmp_path / "passwords"), "lifesign", "right"], check=True)
    with Running(tmp_path, port=port):
        mqtt = MqttSettings(broker="external", port=port, username="lifesign", password=SecretStr("right"))
        assert "takes us" in doctor_service.broker(Settings(mqtt=mqtt))
        with pytest.raises(Exception, match="refused"):
            doctor_service.broker(Settings(mqtt=mqtt.model_copy(update={"password": SecretStr("wrong")})))


class Running(Mosquitto):
    """A mosquitto whose configuration lies in the folder already."""

    def __post_init__(self) -> None:
        if not Path(MOSQUITTO).exists():
            pytest.skip("mosquitto is missing: install the Debian package mosquitto")


def test_the_wheel_holds_what_is_not_python() -> None:
    """Both packages go into the wheel whole, manifest, weights and cards included."""
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["monitor", "models"]
