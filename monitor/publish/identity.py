# SPDX-License-Identifier: Apache-2.0
"""Settings and weights in; who speaks, in every event, out."""

import hashlib
import json
from dataclasses import dataclass

from monitor.config import Settings
from monitor.publish.events import ModelIdentity

__all__ = ["Identity", "configuration_sha256", "identify"]

# The sections that shape a verdict; none of them holds a secret.
_SHAPING = {"capture", "faces", "liveness", "policy"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Node id, software version, hash of the settings that shape verdicts, and the weights in use."""

    node: str
    version: str
    configuration_sha256: str
    model: ModelIdentity | None = None


def configuration_sha256(settings: Settings) -> str:
    """SHA-256 of the settings that shape verdicts, as JSON with sorted keys."""
    shaping = settings.model_dump(mode="json", include=_SHAPING)
    return hashlib.sha256(json.dumps(shaping, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def identify(settings: Settings, version: str, model: tuple[str, str] | None = None) -> Identity:
    """The identity of this process; `model` is the name and the SHA-256 of the weights."""
    weights = None if model is None else ModelIdentity(name=model[0], sha256=model[1])
    return Identity(settings.node.name, version, configuration_sha256(settings), weights)
