# SPDX-License-Identifier: Apache-2.0
"""The example file and the reference, made from the settings tree."""

from pathlib import Path

from pydantic import BaseModel, Field

from monitor.config import Settings
from monitor.settings_file import load
from monitor.settings_keys import example, key_paths, reference, type_name

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_loads_to_the_defaults(tmp_path: Path) -> None:
    """Nobody changes anything by starting from the example."""
    file = tmp_path / "example.yaml"
    file.write_text(example())
    assert load(file) == Settings()


def test_the_example_names_every_key() -> None:
    """One file shows all there is; keys of list items are shown by a sample."""
    text = example()
    for path in key_paths():
        assert f"{path[-1]}:" in text or f'"{path[-1]}"' in text or path[0] in {"pulls", "whip"}, path


def test_the_example_in_deploy_is_the_generated_one() -> None:
    """`lifesign config example > deploy/lifesign.yaml` keeps them equal."""
    assert (ROOT / "deploy" / "lifesign.yaml").read_text() == example()


def test_the_reference_page_is_the_generated_one() -> None:
    """docs/configuration.md holds the table of all keys as it is made from the code."""
    assert reference() in (ROOT / "docs" / "configuration.md").read_text()


def test_secrets_are_known_by_their_path() -> None:
    """What must not be shown in an error is told from the type, not from the name."""
    paths = key_paths()
    assert paths["mqtt", "password"]
    assert paths["whip", "ice_servers", "credential"]
    assert not paths["mqtt", "username"]


def test_types_are_told_in_plain_words() -> None:
    """A user of YAML need not know Python."""

    class Model(BaseModel):
        number: float = Field(1.0, gt=0, le=2)
        names: tuple[str, ...] = ()

    assert [type_name(field) for field in Model.model_fields.values()] == ["number, > 0, <= 2", "list of text"]
