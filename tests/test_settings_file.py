# SPDX-License-Identifier: Apache-2.0
"""Where settings come from, which source wins, and what a fault says."""

import base64
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import settings_file
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.settings_file import dump, find, load, secrets, unknown_environment


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working folder, user folder and system folder without any configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setattr(settings_file, "SYSTEM_FILE", tmp_path / "etc" / "lifesign.yaml")


def written(tmp_path: Path, text: str) -> Path:
    """A YAML file with that text."""
    file = tmp_path / "some.yaml"
    file.write_text(text)
    return file


def fault(tmp_path: Path, text: str) -> ConfigError:
    """The error that a file with that text gives."""
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    return caught.value


def test_without_any_source_the_defaults_hold() -> None:
    """No file is no error."""
    assert load() == Settings()


def test_each_source_beats_the_one_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command line, environment, secret files, YAML: each key comes from the highest that gives it."""
    file = written(tmp_path, "mqtt: {host: yaml, username: yaml, password: yaml, client_id: yaml}")
    vault = tmp_path / "vault"
    vault.mkdir()
    for name in ("username", "password", "client_id"):
        (vault / f"LIFESIGN_MQTT__{name.upper()}").write_text("secret file\n")
    monkeypatch.setenv("LIFESIGN_SECRETS", str(vault))
    monkeypatch.setenv("LIFESIGN_MQTT__USERNAME", "environment")
    monkeypatch.setenv("LIFESIGN_MQTT__CLIENT_ID", "environment")
    mqtt = load(file, {"mqtt": {"client_id": "command line"}}).mqtt
    assert (mqtt.host, mqtt.username, mqtt.client_id) == ("yaml", "environment", "command line")
    assert mqtt.password is not None
    assert mqtt.password.get_secret_value() == "secret file"


def test_systemd_credentials_are_secret_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit's LoadCredential= is read without further ado."""
    (tmp_path / "lifesign_mqtt__password").write_text("hush")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "hush" in secrets(load())


def test_lists_in_the_environment_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens can be given as one variable; broken JSON names the variable."""
    monkeypatch.setenv("LIFESIGN_WHIP__TOKENS", '["one", "two"]')
    assert secrets(load()) == {"one", "two"}
    monkeypatch.setenv("LIFESIGN_WHIP__TOKENS", '["one"')
    with pytest.raises(ConfigError, match="LIFESIGN_WHIP__TOKENS is not valid JSON"):
        load()


def test_files_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named on the command line, named in the environment, here, the user's, the system's."""
    places = [tmp_path / "etc", tmp_path / "user" / "lifesign", tmp_path]
    for folder in places:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lifesign.yaml").touch()
        found = find()
        assert found is not None
        assert found.resolve() == folder / "lifesign.yaml"
    monkeypatch.setenv("LIFESIGN_CONFIG", str(places[0] / "lifesign.yaml"))
    assert find() == places[0] / "lifesign.yaml"
    assert find(places[1] / "lifesign.yaml") == places[1] / "lifesign.yaml"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """Defaults are not taken silently when a file was asked for."""
    with pytest.raises(ConfigError, match=r"gone\.yaml"):
        load(tmp_path / "gone.yaml")


def test_an_unknown_key_is_named_with_its_place_and_its_nearest_neighbour(tmp_path: Path) -> None:
    """File, line and column, and what was probably meant."""
    error = fault(tmp_path, "node:\n  name: one\nhttp:\n  prot: 80\n")
    assert f"{tmp_path}/some.yaml:4:3: http.prot is not a known key; did you mean http.port?" in error.what


def test_an_unknown_section_is_named(tmp_path: Path) -> None:
    """The top level is checked like every other."""
    assert "some.yaml:1:1: mqqt is not a known key; did you mean mqtt?" in fault(tmp_path, "mqqt: {}").what


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One run shows all there is to correct."""
    lines = fault(
        tmp_path, "http:\n  port: 99999\nwhip:\n  tokens:\n    - good\n    - 3\nlog: {level: loud}\n"
    ).what.splitlines()
    assert [line.split(": ")[0].removeprefix(f"{tmp_path}/") for line in lines] == [
        "some.yaml:2:3",
        "some.yaml:6:7",
        "some.yaml:7:7",
    ]
    assert lines[0].endswith("Input should be less than or equal to 65535 (it is 99999).")


def test_a_bad_secret_is_not_shown(tmp_path: Path) -> None:
    """An error never holds a secret's value."""
    assert "12345678" not in fault(tmp_path, "mqtt:\n  password: 12345678\n").what


@pytest.mark.parametrize("key", ["short", "!" * 44, "QUJD", "A" * 88])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what a key is and how to make one."""
    monkeypatch.setenv("LIFESIGN_EVIDENCE__KEY", key)
    with pytest.raises(ConfigError, match="32 bytes in base64") as caught:
        load()
    assert key not in str(caught.value)


def test_pictures_without_a_key_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that asks for them is named; a secret file with the key makes it good."""
    file = written(tmp_path, "evidence:\n  pictures: true\n")
    with pytest.raises(ConfigError, match=r"some\.yaml:1:1: evidence: pictures needs a key"):
        load(file)
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "LIFESIGN_EVIDENCE__KEY").write_text(base64.b64encode(bytes(32)).decode() + "\n")
    monkeypatch.setenv("LIFESIGN_SECRETS", str(folder))
    assert load(file).evidence.key_bytes() == bytes(32)
    assert dump(load(file))["evidence"]["key"] == "**********"


def test_a_bad_value_in_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line number where there is no line."""
    monkeypatch.setenv("LIFESIGN_MQTT__BROKER", "amqp")
    with pytest.raises(ConfigError, match=r"environment variable LIFESIGN_MQTT__BROKER: mqtt\.broker: .*'amqp'"):
        load()


def test_a_bad_value_on_the_command_line_says_so() -> None:
    """The source is named."""
    with pytest.raises(ConfigError, match=r"command line: http\.port"):
        load(None, {"http": {"port": "many"}})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("http: {port: 1\n", r"some\.yaml:\d+:\d+"),
        ("http:\n  port: 1\n  port: 2\n", r"some\.yaml:3:3.*duplicate"),
        ("- a\n- b\n", "not a mapping"),
        ("http: 3\n", r"some\.yaml:1:1: http"),
        ("\0", "some"),
    ],
)
def test_what_is_not_a_configuration_is_refused(tmp_path: Path, text: str, word: str) -> None:
    """Broken YAML, doubled keys, lists and binary files are told, with the place where there is one."""
    assert_match(word, fault(tmp_path, text).what)


def assert_match(pattern: str, text: str) -> None:
    """Fail with both when the pattern is not in the text."""
    with pytest.raises(ConfigError, match=pattern):
        raise ConfigError(text, "")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A picture given as a configuration is an error, not a crash."""
    file = tmp_path / "some.yaml"
    file.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(file)


def test_an_empty_section_is_the_default(tmp_path: Path) -> None:
    """Commenting out every key of a section leaves a valid file."""
    assert load(written(tmp_path, "paths:\n  # cache: /x\nhttp:\n")) == Settings()


@given(st.text(max_size=80))
def test_any_text_is_a_configuration_or_a_config_error(text: str) -> None:
    """Nothing that a file can hold ends in another error."""
    file = Path("fuzz.yaml")
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(ConfigError):
        assert isinstance(load(file), Settings)


def test_unknown_environment_names_are_found_with_what_was_meant() -> None:
    """A typo in a section's name sets nothing and must be told."""
    names = {
        "LIFESIGN_HTP__PORT": "1",
        "LIFESIGN_HTTP__PORT": "1",
        "LIFESIGN_CONFIG": "x",
        "PATH": "y",
        "LIFESIGN_ZZZ": "",
    }
    assert unknown_environment(names) == {"LIFESIGN_HTP__PORT": "LIFESIGN_HTTP__PORT", "LIFESIGN_ZZZ": ""}


def test_a_dump_holds_no_secret() -> None:
    """Secrets are masked wherever they are nested."""
    given_secrets = {
        "mqtt": {"password": "hush-hush"},
        "whip": {"ice_servers": [{"url": "turn:x", "credential": "hush-hush"}]},
    }
    settings = load(None, given_secrets)
    assert "hush-hush" not in str(dump(settings))
    assert secrets(settings) == {"hush-hush"}
