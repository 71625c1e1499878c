# SPDX-License-Identifier: Apache-2.0
"""Frames in, face looks out, on a bounded pool of threads shared by all participants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import cv2

from monitor.config import FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.values import FaceLook, Frame

__all__ = ["Finders", "Look"]

Look = Callable[[Frame], Coroutine[Any, Any, FaceLook]]


class Finders:
    """Opens one face finder per participant; a finder is used by one thread at a time.

    `waiting` counts frames handed in and not answered yet: at most one per participant,
    because each participant waits for its own look. `crop_px` is the side of the crops that the detector takes,
    `surroundings` whether a cue looks round the face, too.
    """

    def __init__(self, settings: FacesSettings, model: Path, crop_px: int, *, surroundings: bool = True) -> None:
        self._settings = settings
        self._model = model
        self._crop_px = crop_px
        self._surroundings = surroundings
        # A look keeps to its thread; those that OpenCV adds cost more than they save.
        cv2.setNumThreads(1)
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="faces")
        self.waiting = 0

    @asynccontextmanager
    async def open(self, call: str, participant: str) -> AsyncIterator[Look]:
        """Give the participant's own `look`; raises AssetError when the landmark model is missing."""
        loop = asyncio.get_running_loop()
        ready = partial(
            FaceFinder,
            self._settings,
            self._model,
            call,
            participant,
            self._crop_px,
            surroundings=self._surroundings,
        )
        finder = await loop.run_in_executor(self._threads, ready)
        alone = Lock()

        async def look(frame: Frame) -> FaceLook:
            self.waiting += 1
            try:
                return await loop.run_in_executor(self._threads, _look, alone, finder, frame)
            finally:
                self.waiting -= 1

        try:
            yield look
        finally:
            # A cancelled look may still be running in its thread: the lock makes close wait for it.
            await asyncio.shield(loop.run_in_executor(self._threads, _close, alone, finder))

    def close(self) -> None:
        """End the threads; looks under way finish first."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def _look(alone: Lock, finder: FaceFinder, frame: Frame) -> FaceLook:
    with alone:
        return finder.look(frame)


def _close(alone: Lock, finder: FaceFinder) -> None:
    with alone:
        finder.close()
