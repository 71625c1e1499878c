# SPDX-License-Identifier: Apache-2.0
"""One message on its way to the broker."""

from dataclasses import dataclass
from typing import Final

__all__ = ["CONTENT_TYPE", "Letter"]

CONTENT_TYPE: Final = "application/cloudevents+json"  # CloudEvents 1.0, MQTT binding, structured mode


@dataclass(frozen=True, slots=True)
class Letter:
    """A QoS 1 message; an empty payload that is retained empties its topic; `expiry_s` needs MQTT 5."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
