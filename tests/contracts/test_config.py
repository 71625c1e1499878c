# SPDX-License-Identifier: Apache-2.0
"""The configuration's contract: a change shows in a snapshot, to be made on purpose."""

import jsonschema
from ruamel.yaml import YAML
from syrupy.assertion import SnapshotAssertion

from monitor.settings_keys import example, schema


def test_schema(snapshot: SnapshotAssertion) -> None:
    """Keys, types, limits and defaults that users' files rely on."""
    assert schema() == snapshot


def test_the_schema_is_valid_and_accepts_the_example() -> None:
    """An editor that checks against the schema agrees with the program."""
    jsonschema.Draft202012Validator.check_schema(schema())
    given = YAML(typ="safe").load(example())
    jsonschema.validate({key: value for key, value in given.items() if value is not None}, schema())


def test_no_default_of_the_schema_depends_on_the_machine() -> None:
    """The document is the same wherever it is printed."""
    assert "/root" not in str(schema())
    assert "/home" not in str(schema())
