# SPDX-License-Identifier: Apache-2.0
"""A file or stream address in; its facts and its decoded pictures and sounds, in order, out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from monitor.errors import FileError

__all__ = ["FileFacts", "Recording", "open_container", "shown"]

LOCAL_PROTOCOLS: Final = "file,crypto,data"
REMOTE_PROTOCOLS: Final = "http,https,tcp,tls,rtsp,rtsps,rtp,srtp,udp,srt,rtmp,rtmps,hls,crypto,data"
"""What a source may lead to: a playlist on disk must not fetch, a playlist from afar must not read the disk."""

TEXT_FORMATS: Final = frozenset({"tty", "lrc", "ass", "srt", "svg_pipe"})
"""Demuxers that make moving pictures of text."""

ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
USER_INFO: Final = re.compile(r"(?<=://)[^/@]+@")
PLAYABLE: Final = "Give a video file with a picture track, such as MP4, MOV, MKV or WebM."
REPAIR: Final = "Fetch or export the file again; 'ffmpeg -i FILE -c copy NEW.mkv' often saves what is left."


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the container says; None where it does not."""

    codec: str
    width_px: int
    height_px: int
    fps: float | None
    duration_s: float | None
    has_sound: bool


def shown(source: str) -> str:
    """The source as it may be logged: without user name and password."""
    return USER_INFO.sub("", source)


def open_container(source: str | Path, timeout_s: float) -> InputContainer:
    """Open a file or address that has a picture track. Raises `FileError`."""
    name = str(source)
    remote = bool(ADDRESS.match(name))
    options = {"protocol_whitelist": REMOTE_PROTOCOLS if remote else LOCAL_PROTOCOLS}
    try:
        container = av.open(name, options=options, timeout=timeout_s if remote else None)
    except (OSError, ValueError, av.FFmpegError) as error:
        raise _refusal(name, error) from error
    if container.format.name in TEXT_FORMATS or not _pictures(container):
        container.close()
        raise FileError(f"{shown(name)} has no picture track.", PLAYABLE)
    return container


def _pictures(container: InputContainer) -> list[VideoStream]:
    """Picture tracks; the cover of a sound file is none."""
    return [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]


def _refusal(name: str, error: Exception) -> FileError:
    shown_name = shown(name)
    if isinstance(error, FileNotFoundError):
        return FileError(f"There is no file {shown_name}.", "Check the path.")
    if isinstance(error, IsADirectoryError):
        return FileError(f"{shown_name} is a folder.", "Name a file in it.")
    if isinstance(error, PermissionError):
        return FileError(f"{shown_name} may not be read.", "Check its permissions.")
    if ADDRESS.match(name):
        reason = getattr(error, "strerror", None) or "no answer that can be played"
        return FileError(f"{shown_name} cannot be played: {reason}.", "Check the address and that its server runs.")
    if Path(name).is_file() and Path(name).stat().st_size == 0:
        return FileError(f"{shown_name} is empty.", "Fetch or export the file again.")
    return FileError(f"{shown_name} is not a video, or is cut off before its index.", f"{PLAYABLE} {REPAIR}")


class Recording:
    """An open recording; blocking, for one thread at a time.

    `facts` are what the container says; `damaged` counts packets that could not be decoded. A recording that
    is cut off ends there.
    """

    def __init__(self, source: str | Path, threads: int, timeout_s: float) -> None:
        self._name = shown(str(source))
        self._container = open_container(source, timeout_s)
        self._video = _pictures(self._container)[0]
        self._audio = self._container.streams.audio[0] if self._container.streams.audio else None
        self._video.thread_type = "AUTO"
        self._video.codec_context.thread_count = threads
        self.damaged = 0
        self.facts = self._facts()

    @property
    def begins_s(self) -> float:
        """Timestamp that counts as 0."""
        return (self._container.start_time or 0) / av.time_base

    def decoded(self) -> Iterator[VideoFrame | AudioFrame]:
        """Pictures and sounds as they lie in the file. Raises `FileError` at the end when there was no picture."""
        return self._checked(self._decoded([self._video] if self._audio is None else [self._video, self._audio]))

    def pictures(self) -> Iterator[VideoFrame]:
        """Pictures alone. Raises `FileError` at the end when there was none."""
        return (each for each in self._checked(self._decoded([self._video])) if isinstance(each, VideoFrame))

    def sounds(self) -> Iterator[AudioFrame]:
        """Sounds alone."""
        if self._audio is None:
            return iter(())
        return (each for each in self._decoded([self._audio]) if isinstance(each, AudioFrame))

    def rewind(self) -> None:
        """Start again at the beginning; an address that cannot be rewound ends."""
        try:
            self._container.seek(self._container.start_time or 0)
        except (OSError, ValueError, av.FFmpegError):
            self.damaged += 1

    def close(self) -> None:
        """Free decoder and file."""
        self._container.close()

    def _facts(self) -> FileFacts:
        codec, rate, length = self._video.codec_context, self._video.average_rate, self._container.duration
        return FileFacts(
            codec=codec.name,
            width_px=codec.width,
            height_px=codec.height,
            fps=float(rate) if rate else None,
            duration_s=length / av.time_base if length and length > 0 else None,
            has_sound=self._audio is not None,
        )

    def _checked(self, decoded: Iterator[VideoFrame | AudioFrame]) -> Iterator[VideoFrame | AudioFrame]:
        pictures = 0
        for each in decoded:
            pictures += isinstance(each, VideoFrame)
            yield each
        if not pictures:
            raise FileError(f"No picture of {self._name} can be decoded.", REPAIR)

    def _decoded(self, streams: list[VideoStream | AudioStream]) -> Iterator[VideoFrame | AudioFrame]:
        for packet in self._packets(streams):
            yield from self._decode(packet)
        if self._video in streams:
            yield from self._held_back()

    def _packets(self, streams: list[VideoStream | AudioStream]) -> Iterator["av.Packet[Stream]"]:
        try:
            yield from self._container.demux(*streams)
        except (OSError, ValueError, av.FFmpegError):
            self.damaged += 1

    def _held_back(self) -> list[VideoFrame]:
        """Pictures still inside the decoder when the file broke off; none when it ended well."""
        try:
            return self._video.decode(None)
        except (EOFError, ValueError, av.FFmpegError):
            return []

    def _decode(self, packet: "av.Packet[Stream]") -> list[VideoFrame | AudioFrame]:
        try:
            return [each for each in packet.decode() if isinstance(each, VideoFrame | AudioFrame)]
        except (ValueError, av.FFmpegError):
            self.damaged += 1
            return []
