# SPDX-License-Identifier: Apache-2.0
"""Encrypted datagrams of one SRTP session in; what they hold out."""

from typing import Any, Final

import pylibsrtp

__all__ = ["LONGEST_BYTES", "Opener"]

LONGEST_BYTES: Final = 1500
"""What pylibsrtp takes; aiortc ends the session at a longer one."""

DONE: Final = 0


class Opener:
    """Does what `Session.unprotect` does, with objects of C that are made once instead of for each packet."""

    def __init__(self, session: pylibsrtp.Session) -> None:
        self.session = session
        held: Any = session
        library: Any = pylibsrtp
        self._srtp = held._srtp[0]
        self._unprotect = library.lib.srtp_unprotect
        self._place = bytearray(LONGEST_BYTES)
        self._view = memoryview(self._place)
        self._address = library.ffi.from_buffer("char[]", self._place)
        self._length = library.ffi.new("int *")

    def opened(self, data: bytes) -> bytes | None:
        """The RTP packet of a datagram; None when it is forged, sent twice, too old or too long."""
        length = len(data)
        if length > LONGEST_BYTES:
            return None
        self._view[:length] = data
        self._length[0] = length
        if self._unprotect(self._srtp, self._address, self._length) != DONE:
            return None
        return self._view[: self._length[0]].tobytes()
