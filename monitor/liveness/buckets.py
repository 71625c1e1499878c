# SPDX-License-Identifier: Apache-2.0
"""How many crops there are in, the fixed sizes of steps that judge them out."""

__all__ = ["bucket", "buckets"]


def bucket(crops: int, largest: int) -> int:
    """The smallest power of two that holds so many crops, 1 to `largest`; `largest` itself need be no power of two."""
    return min(1 << (crops - 1).bit_length(), largest)


def buckets(largest: int) -> tuple[int, ...]:
    """Every size that `bucket` can give, the largest first."""
    return tuple(sorted({bucket(crops, largest) for crops in range(1, largest + 1)}, reverse=True))
