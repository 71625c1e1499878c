# SPDX-License-Identifier: Apache-2.0
"""Layers asked of media servers."""

import asyncio

import pytest

from monitor.capture import layer_wish
from monitor.capture.layer_wish import LayerWish, keep_asking
from monitor.capture.layers import ALL_LAYERS, LayerChoice
from monitor.capture.signalling import SignallingError
from tests.capture.test_whep import pulling
from tests.fakes.calls import Watcher, until
from tests.fakes.whep import MediaServer

ALL = {"mediaId": "0", "maxHeight": 720}


def only(layer: int) -> dict[str, str | int]:
    """The wish for no more than this layer."""
    return ALL | {"maxTemporalLayerId": layer}


def test_wishes_follow_what_is_decoded() -> None:
    """A wish is sent when it changes: at first for all, then for what is needed, for more when more is looked at."""
    wish = LayerWish()
    assert wish.next(ALL_LAYERS, 5.0) == ALL
    assert wish.next(ALL_LAYERS, 5.0) is None
    assert wish.next(0, 5.0) == only(0)
    assert wish.next(0, 5.0) is None
    assert wish.next(1, 10.0) == only(1)
    assert wish.next(0, 5.0) == only(0)


def test_what_was_too_little_is_not_asked_for_again() -> None:
    """A layer that brought too few pictures stays refused at that rate, and may do for a lower one."""
    wish = LayerWish()
    wish.next(0, 5.0)
    assert wish.next(ALL_LAYERS, 5.0) == ALL
    assert wish.next(0, 5.0) == only(1)
    assert wish.next(0, 5.0) is None
    assert wish.next(0, 8.0) is None
    assert wish.next(0, 2.0) == only(0)


@pytest.mark.parametrize(("rates", "labelled", "expected"), [
    ((7.5, 7.5, 15.0), True, [ALL, only(0)]),
    ((3.75, 3.75, 7.5), True, [ALL, only(1)]),
    ((7.5, 7.5, 15.0), False, [ALL, only(0)]),
    ((3.75, 3.75, 7.5), False, [ALL, only(0), ALL, only(1)]),
    ((30.0,), False, [ALL, only(0)]),
])  # fmt: skip
def test_wishes_come_to_rest(rates, labelled, expected) -> None:
    """With a server that does as it is asked, and a codec that names its layers or does not, five looks a second."""
    choice, wish, sent, top = LayerChoice(), LayerWish(), [], ALL_LAYERS
    for tenth in range(600):
        for layer, rate in enumerate(rates[: top + 1]):
            for _ in range(int((tenth + 1) * rate / 10) - int(tenth * rate / 10)):
                choice.see(layer if labelled else None, tenth / 10)
        asked = wish.next(choice.top(5.0), 5.0) if tenth % 10 == 0 else None
        if asked is not None:
            sent.append(asked)
            top = int(asked.get("maxTemporalLayerId", ALL_LAYERS))
    assert sent == expected


async def test_refusal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not take a wish is not asked again."""
    monkeypatch.setattr(layer_wish, "EVERY_S", 0.01)
    asked = []

    async def ask(wish) -> None:
        asked.append(wish)
        raise SignallingError("no", "", 400)

    async with asyncio.timeout(5):
        await keep_asking(ask, lambda: (0, 5.0))
    assert asked == [only(0)]


async def test_media_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that offers it is asked, with the token, as soon as the rates are known; pictures go on."""
    monkeypatch.setattr(layer_wish, "EVERY_S", 0.05)
    media, watcher = MediaServer(token="guest", layers="/layer"), Watcher()
    async with pulling(media, watcher, token="guest") as client:
        await until(lambda: len(media.wishes) == 2)
        await watcher.more("alice", 2)
        assert client.attempts == 1
    assert media.wishes == [ALL, only(0)]


@pytest.mark.parametrize(
    ("layers", "refusal", "wishes"),
    [(None, 200, []), ("http://localhost:{port}/layer", 200, []), ("http://[/layer", 200, []), ("/layer", 501, [ALL])],
    ids=["not offered", "another origin's", "no address", "refused"],
)
async def test_media_server_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, layers: str | None, refusal: int, wishes: list[dict[str, object]]
) -> None:
    """Nothing is asked that is not offered or not the server's own, and a refusal does not end the pull."""
    monkeypatch.setattr(layer_wish, "EVERY_S", 0.05)
    media, watcher = MediaServer(layers=layers, refusal=refusal), Watcher()
    async with pulling(media, watcher) as client:
        await watcher.more("alice", 4)
        assert client.attempts == 1
    assert media.wishes == wishes


async def test_choosing_can_be_switched_off() -> None:
    """With `capture.choose_layers` off the media server chooses."""
    media, watcher = MediaServer(layers="/layer"), Watcher()
    async with pulling(media, watcher, choose_layers=False):
        await watcher.more("alice", 4)
    assert media.wishes == []
