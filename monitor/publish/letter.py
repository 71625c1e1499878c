# SPDX-License-Identifier: Apache-2.0
"""One message on its way to the broker."""

from dataclasses import dataclass

__all__ = ["Letter"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A QoS 1 message; an empty payload that is retained empties its topic; `expiry_s` needs MQTT 5."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
