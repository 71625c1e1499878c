# SPDX-License-Identifier: Apache-2.0
"""The import rules cover every module there is."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = {"monitor.values", "monitor.errors", "monitor.config"}
STAGES = {"capture", "faces", "liveness", "policy", "publish"}
BESIDE = {"bench", "load", "processes", "rates"}
"""Folders outside the flow."""


def test_no_module_escapes_the_import_rules() -> None:
    """A new file beside the stages must be named in the contract that keeps the stages apart from it."""
    modules = {f"monitor.{path.stem}" for path in (ROOT / "monitor").glob("[a-z]*.py")} - SHARED
    modules |= {f"monitor.{folder}" for folder in BESIDE}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {
        contract["name"]: set(contract["forbidden_modules"])
        for contract in contracts
        if contract["type"] == "forbidden"
    }
    assert named["Stages import only values, errors and config of the monitor"] == modules


def test_every_folder_is_a_stage() -> None:
    """Folders of the service are the stages of the flow, the values that flow between them, and what is beside it."""
    folders = {path.name for path in (ROOT / "monitor").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert folders == STAGES | {"values"} | BESIDE
