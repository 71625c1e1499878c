# SPDX-License-Identifier: Apache-2.0
"""The event models in; JSON Schema, an AsyncAPI 3 document and the topic table out."""

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from monitor.config import MqttSettings
from monitor.publish.events import AlertEvent, CallEvent, ChallengeEvent, NodeEvent, Summary, VerdictEvent
from monitor.publish.letter import CONTENT_TYPE
from monitor.publish.retained import RETAINED_EXPIRY_S
from monitor.publish.topics import ADDRESSES, Channel

__all__ = ["SPECS", "ChannelSpec", "asyncapi", "schema", "topic_table"]

_ROOT: Final = "lifesign/v1"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MQTT_BINDING: Final = "0.2.0"  # AsyncAPI MQTT bindings
_IDS: Final = {"node": "Node id.", "call": "Call id.", "participant": "Participant id."}


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """How one kind of topic behaves; `expiry` is seconds, or the setting that holds them, or None."""

    channel: Channel
    event: type[BaseModel]
    retained: str
    expiry: int | str | None
    carries: str


SPECS: Final = (
    ChannelSpec(Channel.NODE, NodeEvent, "yes", None, "online, draining, offline (last will)"),
    ChannelSpec(Channel.CALL, CallEvent, "yes, emptied at the end", RETAINED_EXPIRY_S, "participants, media health"),
    ChannelSpec(
        Channel.VERDICT,
        VerdictEvent,
        "yes, emptied when the participant leaves",
        RETAINED_EXPIRY_S,
        "state, score, reasons, and per face: kinds, contributions, evidence",
    ),
    ChannelSpec(
        Channel.ALERT,
        AlertEvent,
        "no",
        "mqtt.alert_expiry_s",
        "raised, updated, cleared; attack kinds, evidence, weights and configuration hash",
    ),
    ChannelSpec(
        Channel.CHALLENGE,
        ChallengeEvent,
        "no",
        "mqtt.alert_expiry_s",
        "waiting, running, passed, failed, inconclusive; why, what was asked, measurements",
    ),
)
_MODELS: Final[tuple[type[BaseModel], ...]] = (*(spec.event for spec in SPECS), Summary)


def _definitions(template: str) -> dict[str, Any]:
    """The JSON Schema of every model as it is written, referring to each other by `template`."""
    wanted = [(model, "serialization") for model in _MODELS]
    _, schemas = models_json_schema(wanted, ref_template=template)  # type: ignore[arg-type]
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every event and of a scan's summary; `$defs` holds one schema for each by name."""
    return {
        "$schema": _DIALECT,
        "title": "Lifesign events",
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in _MODELS],
        "$defs": _definitions("#/$defs/{model}"),
    }


def asyncapi(version: str = "1.0.0") -> dict[str, Any]:
    """The AsyncAPI 3.0 document of the MQTT interface, with MQTT bindings."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lifesign",
            "version": version,
            "description": "Verdicts and alerts of a live deepfake and liveness monitor, as CloudEvents 1.0 over MQTT.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": {spec.channel.value: _channel(spec) for spec in SPECS},
        "operations": {f"send_{spec.channel.value}": _operation(spec) for spec in SPECS},
        "components": {
            "messages": {spec.event.__name__: _message(spec) for spec in SPECS},
            "schemas": _definitions("#/components/schemas/{model}"),
        },
    }


def _server() -> dict[str, Any]:
    will = {"topic": f"{_ROOT}/{ADDRESSES[Channel.NODE]}", "qos": 1, "retain": True, "message": "status: offline"}
    binding = {"clientId": "lifesign-{node}", "cleanSession": True, "keepAlive": 15, "lastWill": will}
    return {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": "5",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "1883"}},
        "bindings": {"mqtt": {**binding, "bindingVersion": _MQTT_BINDING}},
    }


def _names(address: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", address)


def _channel(spec: ChannelSpec) -> dict[str, Any]:
    address = ADDRESSES[spec.channel]
    name = spec.event.__name__
    return {
        "address": f"{_ROOT}/{address}",
        "description": spec.carries,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {id_: {"description": f"{_IDS[id_]} [A-Za-z0-9_-]{{1,64}}"} for id_ in _names(address)},
    }


def _operation(spec: ChannelSpec) -> dict[str, Any]:
    retain = spec.retained != "no"
    binding: dict[str, Any] = {"qos": 1, "retain": retain, "bindingVersion": _MQTT_BINDING}
    if isinstance(spec.expiry, int):
        binding["messageExpiryInterval"] = spec.expiry
    elif spec.expiry is not None:
        binding["messageExpiryInterval"] = MqttSettings().alert_expiry_s
    channel = f"#/channels/{spec.channel.value}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{spec.event.__name__}"}],
        "bindings": {"mqtt": binding},
    }


def _message(spec: ChannelSpec) -> dict[str, Any]:
    name = spec.event.__name__
    return {
        "name": spec.event.model_fields["type"].default,
        "title": (spec.event.__doc__ or name).strip(),
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def topic_table() -> str:
    """The topics as a Markdown table."""
    rows = [
        f"| topic under `{_ROOT}` | event | retained | QoS | expires after | carries |",
        "|---|---|---|---|---|---|",
    ]
    for spec in SPECS:
        kind = spec.event.model_fields["type"].default
        cells = (f"`{ADDRESSES[spec.channel]}`", f"`{kind}`", spec.retained, "1", _expiry(spec), spec.carries)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _expiry(spec: ChannelSpec) -> str:
    if spec.expiry is None:
        return "never"
    return f"{spec.expiry} s" if isinstance(spec.expiry, int) else f"`{spec.expiry}`"
