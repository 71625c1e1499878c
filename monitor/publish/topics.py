# SPDX-License-Identifier: Apache-2.0
"""Ids in, MQTT topics out, and back again; every variable level follows a fixed word."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.config import ID_PATTERN
from monitor.errors import IdError

__all__ = ["ADDRESSES", "Address", "Channel", "Topics"]

_ID: Final = re.compile(ID_PATTERN)


class Channel(StrEnum):
    """The kinds of topic."""

    NODE = "node"
    CALL = "call"
    VERDICT = "verdict"
    ALERT = "alert"
    CHALLENGE = "challenge"


ADDRESSES: Final = {
    Channel.NODE: "nodes/{node}/status",
    Channel.CALL: "calls/{call}/state",
    Channel.VERDICT: "calls/{call}/participants/{participant}/verdict",
    Channel.ALERT: "calls/{call}/alerts",
    Channel.CHALLENGE: "calls/{call}/participants/{participant}/challenge",
}


def _matcher(template: str) -> re.Pattern[str]:
    """A regular expression with one named group for each variable level."""
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Za-z0-9_-]{1,64})", template))


_MATCHERS: Final = {channel: _matcher(template) for channel, template in ADDRESSES.items()}


@dataclass(frozen=True, slots=True)
class Address:
    """What a topic speaks of; the ids its channel does not name are empty."""

    channel: Channel
    node: str = ""
    call: str = ""
    participant: str = ""


def _checked(name: str, value: str) -> str:
    if not _ID.match(value):
        raise IdError(
            f"The {name} id {value[:80]!r} cannot be a topic level.",
            "Use 1 to 64 letters, digits, underscores or hyphens.",
        )
    return value


class Topics:
    """Topics under one root such as "lifesign/v1"; building raises IdError for an id outside [A-Za-z0-9_-]{1,64}."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")

    def build(self, address: Address) -> str:
        """The topic of an address."""
        template = ADDRESSES[address.channel]
        names = re.findall(r"\{(\w+)\}", template)
        ids = {name: _checked(name, getattr(address, name)) for name in names}
        return f"{self.root}/{template.format(**ids)}"

    def parse(self, topic: str) -> Address | None:
        """The address of a topic, or None when the topic is not one of ours."""
        prefix = f"{self.root}/"
        if not topic.startswith(prefix):
            return None
        rest = topic.removeprefix(prefix)
        for channel, matcher in _MATCHERS.items():
            if found := matcher.fullmatch(rest):
                return Address(channel, **found.groupdict())
        return None

    def node_status(self, node: str) -> str:
        """Topic of a node's status."""
        return self.build(Address(Channel.NODE, node=node))

    def call_state(self, call: str) -> str:
        """Topic of a call's state."""
        return self.build(Address(Channel.CALL, call=call))

    def verdict(self, call: str, participant: str) -> str:
        """Topic of a participant's verdict."""
        return self.build(Address(Channel.VERDICT, call=call, participant=participant))

    def alerts(self, call: str) -> str:
        """Topic of a call's alerts."""
        return self.build(Address(Channel.ALERT, call=call))

    def challenge(self, call: str, participant: str) -> str:
        """Topic of a participant's challenges."""
        return self.build(Address(Channel.CHALLENGE, call=call, participant=participant))

    def everything(self) -> tuple[str, ...]:
        """Subscription filters that match every topic and nothing else of the root."""
        return tuple(f"{self.root}/{re.sub(r'{.*?}', '+', template)}" for template in ADDRESSES.values())
