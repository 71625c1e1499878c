# SPDX-License-Identifier: Apache-2.0
"""The second CUSUM: a changed network is not an attack."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.network import CEILING, DISTRUST, NetworkWatch
from monitor.values import Reason, StreamFacts
from tests.fakes.timeline import look, quality


def watch(network: NetworkWatch, start_s: float, seconds: float, *, lost=0, received=12_000, track=1, **seen) -> list:
    """Five frames a second of a steady stream; returns the trust after each."""
    trust = []
    for index in range(round(seconds * 5)):
        at_s = start_s + index / 5
        facts = StreamFacts(lost_packets=lost, received_bytes=received)
        network.step(at_s, look(at_s, track, seen=quality(**seen)), facts)
        trust.append(network.trust)
    return trust


def test_a_steady_stream_is_trusted():
    """Nothing changes, so evidence counts in full."""
    assert set(watch(NetworkWatch(), 0.0, 60.0)) == {1.0}


def test_a_bitrate_drop_discounts_evidence_and_says_why():
    """Within three seconds of a drop to a tenth evidence counts less, because of the bitrate."""
    network = NetworkWatch()
    watch(network, 0.0, 20.0)
    watch(network, 20.0, 3.2, received=1_200)
    assert network.trust == DISTRUST
    assert network.reasons == (Reason.LOW_BITRATE,)


def test_lost_packets_discount_evidence():
    """A burst of loss is a change of the network."""
    network = NetworkWatch()
    watch(network, 0.0, 20.0)
    watch(network, 20.0, 3.2, lost=4)
    assert network.reasons == (Reason.NETWORK_CHANGED,)


def test_another_layer_discounts_evidence():
    """A face of half the size and sharpness within a second is another simulcast layer."""
    network = NetworkWatch()
    watch(network, 0.0, 20.0)
    watch(network, 20.0, 3.2, face_px=60.0, sharpness=12.0)
    assert network.reasons == (Reason.NETWORK_CHANGED,)


def test_a_lasting_change_becomes_the_new_normal():
    """Nobody hides for a whole call behind a bad line: after half a minute evidence counts in full again."""
    network = NetworkWatch()
    watch(network, 0.0, 20.0)
    trust = watch(network, 20.0, 40.0, received=1_200, lost=4, sharpness=12.0)
    assert DISTRUST in trust
    assert set(trust[-50:]) == {1.0}
    assert network.reasons == ()


def test_key_frames_are_no_change():
    """Recordings with a large key frame every two seconds are steady."""
    network = NetworkWatch()
    trust = []
    for index in range(300):
        facts = StreamFacts(received_bytes=60_000 if index % 10 == 0 else 6_000)
        network.step(index / 5, look(index / 5, 1), facts)
        trust.append(network.trust)
    assert set(trust) == {1.0}


def test_another_face_is_no_change():
    """A cut to someone closer to the camera says nothing of the network."""
    network = NetworkWatch()
    watch(network, 0.0, 20.0, face_px=80.0)
    assert set(watch(network, 20.0, 10.0, track=2, face_px=200.0, sharpness=90.0)) == {1.0}


def test_streams_without_facts_are_trusted():
    """A capture path that knows neither bytes nor losses changes nothing."""
    network = NetworkWatch()
    for index in range(100):
        network.step(index / 5, None, StreamFacts())
    assert network.trust == 1.0


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.integers(-5, 10**9), st.none() | st.integers(-5, 10**12), st.floats(0, 1e6)),
        max_size=80,
    )
)
def test_any_facts_keep_the_level_in_bounds(rows):
    """No stream, however odd, breaks the watch; reasons are given exactly while trust is reduced."""
    network, now_s = NetworkWatch(), 0.0
    for delta_s, lost, received, sharpness in rows:
        now_s += delta_s
        seen = quality(sharpness=sharpness, face_px=sharpness)
        network.step(now_s, look(now_s, 1, seen=seen), StreamFacts(lost_packets=lost, received_bytes=received))
        assert 0.0 <= network.level <= CEILING
        assert bool(network.reasons) is (network.trust < 1.0)
