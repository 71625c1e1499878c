# SPDX-License-Identifier: Apache-2.0
"""A value in, runs of bytes that hold it out, and back; the arrays in it are copied once each way.

Pickled, so for processes of this program alone: whoever can write a parcel can run code.
"""

import copyreg
import pickle
import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

__all__ = ["dumps", "pack", "unpack"]

COUNT: Final = struct.Struct("<I")
ALIGNED: Final = 16
"""Arrays begin at multiples of this, as native code expects of them."""


def _read_only(mapping: dict[Any, Any]) -> "MappingProxyType[Any, Any]":
    return MappingProxyType(mapping)


def _proxied(
    proxy: "MappingProxyType[Any, Any]",
) -> tuple[Callable[..., "MappingProxyType[Any, Any]"], tuple[dict[Any, Any]]]:
    return _read_only, (dict(proxy),)


# Values hold read-only mappings, which pickle does not know by itself.
copyreg.pickle(MappingProxyType, _proxied)


def dumps(value: object, large: Callable[[pickle.PickleBuffer], object] | None = None) -> bytes:
    """The value in bytes; `large` gets the buffers that are left out, all stay in without it."""
    return pickle.dumps(value, protocol=5, buffer_callback=large)


def pack(value: object) -> list[bytes | memoryview]:
    """The value in parts to be laid one behind the other; large buffers are not copied (pickle protocol 5)."""
    buffers: list[pickle.PickleBuffer] = []
    words = dumps(value, buffers.append)
    runs: list[bytes | memoryview] = [words, *(buffer.raw() for buffer in buffers)]
    head = struct.pack(f"<{1 + len(runs)}I", len(runs), *(len(run) for run in runs))
    parts: list[bytes | memoryview] = [head, _padding(len(head))]
    for run in runs:
        parts += (run, _padding(len(run)))
    return parts


def unpack(data: bytearray) -> Any:  # noqa: ANN401 - whatever was packed
    """The value; its arrays lie in `data` and may be written to."""
    count = COUNT.unpack_from(data)[0]
    lengths = struct.unpack_from(f"<{count}I", data, COUNT.size)
    start = COUNT.size * (1 + count)
    start += len(_padding(start))
    runs: list[memoryview] = []
    for length in lengths:
        runs.append(memoryview(data)[start : start + length])
        start += length + len(_padding(length))
    return pickle.loads(runs[0], buffers=runs[1:])  # noqa: S301 - written by a process of this program


def _padding(length: int) -> bytes:
    return bytes(-length % ALIGNED)
