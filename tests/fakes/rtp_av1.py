# SPDX-License-Identifier: Apache-2.0
"""Pictures coded as AV1 in, RTP packets as browsers and media servers send them out."""

from collections.abc import Iterator, Sequence

from aiortc.rtp import RtpPacket

from tests.fakes.rtp import PACKET_BYTES, coded_pictures, packets_of

__all__ = ["av1_payloads", "av1_pictures", "av1_rtp", "leb128", "units_of"]

DELIMITER, SEQUENCE = 2, 1


def av1_pictures(count: int, *, keyframes: Sequence[int] = (0,)) -> list[bytes]:
    """Code the moving pattern, 30 pictures/s."""
    options = {"preset": "11", "svtav1-params": "pred-struct=1:lp=1:rc=2"}
    return coded_pictures("libsvtav1", options, count, keyframes=keyframes)


def leb128(value: int) -> bytes:
    """A length of one or two bytes."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


def units_of(picture: bytes) -> Iterator[bytes]:
    """The units of a temporal unit without its delimiter, sizes taken off."""
    at = 0
    while at < len(picture):
        head, size, shift = picture[at], 0, 0
        begin = at + 1 + (head >> 2 & 1)
        extension = picture[at + 1 : begin]
        while True:
            byte = picture[begin]
            begin += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if head >> 3 & 15 != DELIMITER:
            yield bytes([head & ~2]) + extension + picture[begin : begin + size]
        at = begin + size


def av1_payloads(units: Sequence[bytes], room: int = PACKET_BYTES, *, counted: bool = True) -> list[bytes]:
    """Payloads of so many bytes at most, each unit cut where its packet ends; `counted` ones save the last length."""
    packets: list[list[bytes]] = [[]]
    cut: list[bool] = [False]
    for unit in units:
        rest = unit
        while rest:
            space = room - 1 - sum(len(each) + 2 for each in packets[-1])
            if space < 4 or (counted and len(packets[-1]) == 3):
                packets.append([])
                cut.append(len(rest) < len(unit))
                continue
            packets[-1].append(rest[: space - 2])
            rest = rest[space - 2 :]
    cut.append(False)
    begins = bool(units) and units[0][0] >> 3 & 15 == SEQUENCE
    heads = [
        cut[at] << 7 | cut[at + 1] << 6 | (len(each) if counted else 0) << 4 | (begins and at == 0) << 3
        for at, each in enumerate(packets)
    ]
    return [bytes([head]) + _elements(each, counted=counted) for head, each in zip(heads, packets, strict=True)]


def av1_rtp(
    pictures: Sequence[bytes], *, room: int = PACKET_BYTES, counted: bool = True, start: int = 65_530, stamp: int = 0
) -> list[list[RtpPacket]]:
    """Packets of each picture (AOM RTP specification, section 4)."""
    sent, sequence = [], start
    for step, data in enumerate(pictures):
        payloads = av1_payloads(list(units_of(data)), room, counted=counted)
        sent.append(packets_of(payloads, sequence, stamp + 3000 * step))
        sequence += len(payloads)
    return sent


def _elements(units: Sequence[bytes], *, counted: bool) -> bytes:
    told = [leb128(len(each)) + each for each in units]
    if counted:
        told[-1] = units[-1]
    return b"".join(told)
