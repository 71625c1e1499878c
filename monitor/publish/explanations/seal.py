# SPDX-License-Identifier: Apache-2.0
"""A key in; bytes sealed with AES-256-GCM, and opened again, out."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["HEAD_BYTES", "DamagedError", "OtherKeyError", "Seal"]

MAGIC: Final = b"LFSP1\0\0\0"
NAME_BYTES: Final = 8
NONCE_BYTES: Final = 12
"""NIST SP 800-38D, 8.2.2: random nonces of 96 bits are good for 2^32 files of one key."""
CIPHER_KEY_BYTES: Final = 32
HEAD_BYTES: Final = len(MAGIC) + NAME_BYTES


class OtherKeyError(Exception):
    """Sealed with another key."""


class DamagedError(Exception):
    """Cut, altered, or sealed for another alert."""


class Seal:
    """Seals bytes for one alert each: a head that names the key, a fresh nonce, the sealed bytes and their tag.

    Cipher key and the key's name are both derived from the key (HKDF, RFC 5869), so that the name says nothing of it.
    """

    def __init__(self, key: bytes) -> None:
        derived = HKDF(SHA256(), CIPHER_KEY_BYTES + NAME_BYTES, None, b"lifesign pictures 1").derive(key)
        self._cipher = AESGCM(derived[:CIPHER_KEY_BYTES])
        self._head = MAGIC + derived[CIPHER_KEY_BYTES:]

    def close(self, alert: str, content: bytes) -> bytes:
        """Seal the content for this alert."""
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._cipher.encrypt(nonce, content, self._head + alert.encode())

    def open(self, alert: str, sealed: bytes) -> bytes:
        """Give back what was sealed for this alert; raises OtherKeyError or DamagedError."""
        self.check(sealed[:HEAD_BYTES])
        nonce, rest = sealed[HEAD_BYTES:][:NONCE_BYTES], sealed[HEAD_BYTES + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, self._head + alert.encode())
        except (InvalidTag, ValueError) as error:
            raise DamagedError from error

    def check(self, head: bytes) -> None:
        """Raises OtherKeyError or DamagedError when a file that begins with `head` cannot be opened."""
        if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
            raise DamagedError
        if head != self._head:
            raise OtherKeyError
