# SPDX-License-Identifier: Apache-2.0
"""Two clips in, a real WebRTC call over loopback watched to its end; whether the right alert came over MQTT out."""

import asyncio
import contextlib
import secrets
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress

from monitor import assets, swap
from monitor.app import serving
from monitor.config import Profile, Settings
from monitor.publish.events import AlertEvent, Event, VerdictEvent
from monitor.push import push
from monitor.service import Service
from monitor.values import AlertChange, State
from monitor.watch import watch

__all__ = ["CALL", "FORGED", "GENUINE", "STUCK", "Outcome", "demo", "isolated"]

CALL: Final = "demo"
GENUINE: Final = "genuine"
FORGED: Final = "forged"
STUCK: Final = "stuck"
STUCK_S: Final = 50.0
"""A still is alerted after about half a minute: people sit still, too."""
NOT_YET: Final = (
    "The detector was not good enough for this call: what it saw also occurs among genuine people more often than the "
    "false-alert budget of this profile allows. See `lifesign models card` for what it can and cannot tell."
)
BEHIND_S: Final = 10.0
"""Longest wait for what is still under way when the callers have hung up."""


@dataclass(slots=True)
class Outcome:
    """What came over MQTT by participant: time of the first alert, last state, seconds judged, highest score."""

    alerted: dict[str, float] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take in one event read from the broker."""
        if isinstance(event, AlertEvent) and event.data.change is AlertChange.RAISED:
            self.alerted.setdefault(event.data.participant, event.data.media_s)
        if isinstance(event, VerdictEvent):
            who = event.data.participant
            self.states[who] = event.data.state
            judged_s = max((face.judged_s for face in event.data.faces), default=0.0)
            self.judged[who] = max(self.judged.get(who, 0.0), judged_s)
            self.scores[who] = max(self.scores.get(who, 0.0), event.data.score or 0.0)

    @property
    def right(self) -> bool:
        """Whether both were judged, the forged participant was alerted, and the genuine one was not."""
        both = all(self.judged.get(who, 0.0) > 0.0 for who in (GENUINE, FORGED))
        return both and FORGED in self.alerted and GENUINE not in self.alerted

    def words(self) -> str:
        """The outcome for people."""
        lines = [self._line(who, wanted=who != GENUINE) for who in (FORGED, GENUINE, STUCK)]
        end = "The demo did what it should." if self.right else NOT_YET
        return "\n".join([*lines, end])

    def _line(self, who: str, *, wanted: bool) -> str:
        state, judged_s = self.states.get(who, State.INCONCLUSIVE), self.judged.get(who, 0.0)
        seen = f"judged {judged_s:.0f} s, highest score {self.scores.get(who, 0.0):.2f}, last state {state}"
        if who in self.alerted:
            verdict = f"alert over MQTT after {self.alerted[who]:.1f} s of video"
            return f"{'ok  ' if wanted else 'FAIL'} {who}: {verdict} ({seen})"
        return f"{'FAIL' if wanted else 'ok  '} {who}: no alert ({seen})"


async def demo(settings: Settings, *, json: bool = False) -> int:
    """Run the whole chain once; returns 0 only if MQTT carried an alert for the forged participant and no other."""
    console = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="lifesign-demo-") as folder:
        clips = await _clips(Path(folder), settings.paths.cache, console)
        outcome = Outcome()
        await _call(isolated(settings, Path(folder)), clips, outcome, json=json)
    console.print(outcome.words(), markup=False, soft_wrap=True)
    return 0 if outcome.right else 1


def isolated(settings: Settings, folder: Path) -> Settings:
    """The user's settings with everything that could touch another service of theirs replaced.

    Callers who stay for twenty seconds are an identity check: that profile decides within 30 s. They send from this
    process, whose load is therefore not that of the service.
    """
    whip = settings.whip.model_copy(update={"tokens": (SecretStr(secrets.token_urlsafe(24)),)})
    http = settings.http.model_copy(update={"host": "127.0.0.1", "port": 0, "tls_certificate": None, "tls_key": None})
    private = {"broker": "embedded", "port": 0, "tls": None, "username": None, "password": None, "outbox": None}
    mqtt = settings.mqtt.model_copy(update=private)
    paths = settings.paths.model_copy(update={"state": folder})
    policy = settings.policy.model_copy(update={"profile": Profile.KYC})
    load = settings.load.model_copy(update={"enabled": False})
    private_parts = {"whip": whip, "http": http, "mqtt": mqtt, "paths": paths, "pulls": (), "policy": policy}
    return settings.model_copy(update=private_parts | {"load": load})


async def _clips(folder: Path, cache: Path, console: Console) -> dict[str, Path]:
    """The genuine clip, the same footage with the face of another person, and its first picture held, encoded alike."""
    woman, man, model = (assets.path(name, cache) for name in ("pexels_woman", "selfie_man", "face_landmarker"))
    clips = {who: folder / f"{who}.mp4" for who in (GENUINE, FORGED, STUCK)}
    with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as bars:
        forging = bars.add_task("forging one caller's face", total=1.0)
        told: Callable[[float], None] = partial(_show, bars, forging)
        await asyncio.to_thread(swap.reencode, woman, clips[GENUINE])
        await asyncio.to_thread(swap.freeze, woman, clips[STUCK], STUCK_S)
        await asyncio.to_thread(swap.forge, woman, man, clips[FORGED], model, told)
    return clips


def _show(bars: Progress, task: object, share: float) -> None:
    bars.update(task, completed=share)  # type: ignore[arg-type]


async def _call(settings: Settings, clips: dict[str, Path], outcome: Outcome, *, json: bool) -> None:
    """Serve, watch over MQTT, let both callers speak, and hang up."""
    async with AsyncExitStack() as stack:
        service = await serving(stack, settings, json=json)
        over, subscribed = asyncio.Event(), asyncio.Event()
        watched = watch(_reader(settings, service), Console(), over, on_event=outcome.take, subscribed=subscribed)
        async with asyncio.TaskGroup() as group:
            group.create_task(watched, name="watch")
            await subscribed.wait()
            await _speak(service, settings, clips)
            await _settled(service)
            over.set()


def _reader(settings: Settings, service: Service) -> Settings:
    """The settings of somebody who reads the embedded broker."""
    assert service.publisher.address is not None
    mqtt = settings.mqtt.model_copy(update={"port": service.publisher.address[1]})
    return settings.model_copy(update={"mqtt": mqtt})


async def _speak(service: Service, settings: Settings, clips: dict[str, Path]) -> None:
    token = settings.whip.tokens[0].get_secret_value()
    async with asyncio.TaskGroup() as group:
        for who, clip in clips.items():
            group.create_task(push(clip, f"{service.url}/whip/{CALL}/{who}", token), name=f"push {who}")


async def _settled(service: Service) -> None:
    """Wait until the call has ended and the broker has what was said of it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BEHIND_S):
            await service.calls.all_ended()
    await service.publisher.flush(BEHIND_S)
