# SPDX-License-Identifier: Apache-2.0
"""A folder's `manifest.toml` in, its models out, and back: files with their SHA-256, licence and input contract."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from models.detector import contract_px
from models.errors import WeightsError

__all__ = ["Entry", "read_manifest", "write_manifest"]

HEADER: Final = """# SPDX-License-Identifier: Apache-2.0
# Written by models.export and models.calibrate; the first model is the default.
"""
BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
OPTIONAL: Final = frozenset({"graph", "graph_sha256"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the manifest.

    `parameters` is how many numbers were learnt, `made_on` the day of the export (ISO 8601). `graph` names the network
    as an ONNX graph without weights; models without one are judged by torch.
    """

    name: str
    file: str
    sha256: str
    calibration: str
    calibration_sha256: str
    licence: str
    contract: str
    samples_per_s: float
    trained_on: str
    parameters: int
    made_on: str
    graph: str = ""
    graph_sha256: str = ""

    @property
    def crop_px(self) -> int | None:
        """Side of the crops it takes; None when its contract is not one of this program's."""
        return contract_px(self.contract)


@cache
def read_manifest(folder: Path) -> dict[str, Entry]:
    """Read `manifest.toml`; raises `WeightsError` where an entry lacks a field or leaves one empty."""
    file = folder / "manifest.toml"
    try:
        stored: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"the list of models at {file} cannot be read: {error}") from error
    return {name: _checked(name, fields) for name, fields in stored.items()}


def write_manifest(folder: Path, entries: Mapping[str, Entry]) -> None:
    """Write `manifest.toml`, the default first; a crash while writing leaves the one before in place."""
    fresh = folder / "manifest.part"
    fresh.write_text(HEADER + "\n".join(_spelled(entry) for entry in entries.values()), encoding="utf-8")
    fresh.replace(folder / "manifest.toml")
    read_manifest.cache_clear()


def _checked(name: str, fields: Mapping[str, Any]) -> Entry:
    known = set(Entry.__dataclass_fields__) - {"name"}
    missing = sorted(field for field in known - OPTIONAL if not fields.get(field))
    if missing:
        raise WeightsError(f"the manifest entry of model {name} lacks {', '.join(missing)}: it must not be used")
    return Entry(name=name, **{field: fields[field] for field in known if field in fields})


def _spelled(entry: Entry) -> str:
    """Spell an entry as a TOML table; JSON's strings and numbers are TOML's too."""
    fields = {field: value for field, value in asdict(entry).items() if field != "name" and value != ""}
    lines = [f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in fields.items()]
    name = entry.name if BARE.fullmatch(entry.name) else json.dumps(entry.name)
    return "\n".join([f"[{name}]", *lines, ""])
