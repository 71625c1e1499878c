# SPDX-License-Identifier: Apache-2.0
"""Bytes in, unsigned numbers of any count of bits out."""

__all__ = ["Bits"]


class Bits:
    """Reads from the highest bit of the first byte on. Raises ValueError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the data end too early")
        return self._value >> self._left & (1 << count) - 1

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.take(1))
