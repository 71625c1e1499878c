# SPDX-License-Identifier: Apache-2.0
"""Every error a user can meet: a stable code, what happened, what to do next.

LifesignError
├── UsageError                 usage            arguments that make no sense          exit 2
│   └── ConfigError            config           configuration that cannot be used     exit 2
├── StartError                 start            the service could not start           exit 3
│   ├── AssetError             asset            a needed file is missing or altered
│   ├── ModelError             model            weights that must not be used
│   ├── DeviceError            device           the device that judges cannot be used
│   │   ├── DeviceMemoryError  device_memory    the GPU has no memory left
│   │   └── DeviceLostError    device_lost      the GPU failed; only a new process can use it
│   ├── BrokerError            broker           no MQTT broker to publish to
│   ├── PicturesError          pictures         the folder of pictures cannot be used
│   ├── ProcessError           process          a process of the service ended or fell silent
│   └── TapError               tap              encoded media cannot be taken; every picture is decoded instead
├── MediaError                 media            one file or stream cannot be judged   exit 1
│   ├── FileError              file             a file that cannot be played
│   ├── PullError              pull             a media server that cannot be read
│   └── PushError              push             a WHIP endpoint that refuses or cannot be reached
├── RequestError               request          an HTTP request that is refused       4xx / 503
│   ├── OfferError             offer            SDP that is malformed
│   ├── CodecError             codec            an offer nobody here can decode
│   ├── SizeError              size             a body over its limit
│   ├── ContentTypeError       content_type     a body of another media type
│   ├── TokenError             token            bearer token missing or wrong
│   ├── IdError                id               a call or participant id that is not allowed
│   ├── SessionError           session          no such session
│   ├── PreconditionError      precondition     If-Match missing or stale
│   ├── OrderError             order            a body that asks for nothing that can be done
│   ├── ConflictError          conflict         something else is under way already
│   ├── ExplanationError       explanation      no such explanation or picture, or none any more
│   ├── PicturesOffError       pictures_off     pictures are not kept here
│   ├── PicturesKeyError       pictures_key     pictures sealed with another key
│   └── CapacityError          capacity         no room for another participant
│       └── OverloadError      overload         no processor time for another participant
└── PublishError               publish          an event that did not reach the broker
    ├── RefusedError           refused          the broker answered, and refused
    └── OutboxError            outbox           the outbox cannot be written
"""

from typing import ClassVar

__all__ = [
    "AssetError",
    "BrokerError",
    "CapacityError",
    "CodecError",
    "ConfigError",
    "ConflictError",
    "ContentTypeError",
    "DeviceError",
    "DeviceLostError",
    "DeviceMemoryError",
    "ExplanationError",
    "FileError",
    "IdError",
    "LifesignError",
    "MediaError",
    "ModelError",
    "OfferError",
    "OrderError",
    "OutboxError",
    "OverloadError",
    "PicturesError",
    "PicturesKeyError",
    "PicturesOffError",
    "PreconditionError",
    "ProcessError",
    "PublishError",
    "PullError",
    "PushError",
    "RefusedError",
    "RequestError",
    "SessionError",
    "SizeError",
    "StartError",
    "TapError",
    "TokenError",
    "UsageError",
]


class LifesignError(Exception):
    """Root of the tree; `what` says what happened, `advice` what to do next."""

    code: ClassVar[str] = "lifesign"
    exit_code: ClassVar[int] = 70

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice

    def __str__(self) -> str:
        return f"[{self.code}] {self.what} {self.advice}"


class UsageError(LifesignError):
    """Arguments that make no sense."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """Configuration that cannot be used."""

    code = "config"


class StartError(LifesignError):
    """The service could not start."""

    code = "start"
    exit_code = 3


class AssetError(StartError):
    """A file the program needs is missing or altered."""

    code = "asset"


class ModelError(StartError):
    """Weights that must not be used: wrong hash, contract or licence."""

    code = "model"


class DeviceError(StartError):
    """The device that judges is not there or cannot be used."""

    code = "device"


class DeviceMemoryError(DeviceError):
    """The GPU has no memory left; while the service runs, the batch gives no evidence and the next is tried."""

    code = "device_memory"


class DeviceLostError(DeviceError):
    """The GPU failed; nobody is judged any more until the process is restarted."""

    code = "device_lost"


class BrokerError(StartError):
    """No MQTT broker to publish to."""

    code = "broker"


class PicturesError(StartError):
    """The folder of pictures cannot be used."""

    code = "pictures"


class ProcessError(StartError):
    """A process of the service ended or fell silent; one that had started is started again."""

    code = "process"


class TapError(StartError):
    """Encoded media cannot be taken from the WebRTC library; every picture is decoded instead."""

    code = "tap"


class MediaError(LifesignError):
    """One file or stream cannot be judged."""

    code = "media"
    exit_code = 1


class FileError(MediaError):
    """A file that cannot be played."""

    code = "file"


class PullError(MediaError):
    """A media server that cannot be read."""

    code = "pull"


class PushError(MediaError):
    """A WHIP endpoint that refuses or cannot be reached."""

    code = "push"


class RequestError(LifesignError):
    """An HTTP request that is refused; `status` is the HTTP status, `headers` go with the answer."""

    code = "request"
    exit_code = 1
    status: ClassVar[int] = 400

    def __init__(self, what: str, advice: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(what, advice)
        self.headers = headers or {}


class OfferError(RequestError):
    """SDP that is malformed or asks for what a session cannot hold."""

    code = "offer"


class CodecError(RequestError):
    """An offer with no codec that can be decoded here."""

    code = "codec"
    status = 406


class SizeError(RequestError):
    """A body over its limit."""

    code = "size"
    status = 413


class ContentTypeError(RequestError):
    """A body of another media type than the one asked for."""

    code = "content_type"
    status = 415


class TokenError(RequestError):
    """Bearer token missing or wrong."""

    code = "token"
    status = 401


class IdError(RequestError):
    """A call or participant id that is not allowed."""

    code = "id"
    status = 422


class SessionError(RequestError):
    """No such session."""

    code = "session"
    status = 404


class PreconditionError(RequestError):
    """If-Match missing (428) or stale (412)."""

    code = "precondition"
    status = 412


class OrderError(RequestError):
    """A JSON body that is malformed or asks for what cannot be done."""

    code = "order"
    status = 422


class ConflictError(RequestError):
    """Something else is under way already."""

    code = "conflict"
    status = 409


class ExplanationError(RequestError):
    """No such explanation or picture, or none any more."""

    code = "explanation"
    status = 404


class PicturesOffError(RequestError):
    """Pictures are not kept here."""

    code = "pictures_off"
    status = 403


class PicturesKeyError(RequestError):
    """Pictures sealed with another key."""

    code = "pictures_key"
    status = 409


class CapacityError(RequestError):
    """No room for another participant."""

    code = "capacity"
    status = 503


class OverloadError(CapacityError):
    """No processor time for another participant."""

    code = "overload"


class PublishError(LifesignError):
    """An event that did not reach the broker."""

    code = "publish"
    exit_code = 1


class RefusedError(PublishError):
    """The broker answered, and refused."""

    code = "refused"


class OutboxError(PublishError):
    """The outbox cannot be written."""

    code = "outbox"
