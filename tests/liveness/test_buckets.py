# SPDX-License-Identifier: Apache-2.0
"""Sizes of steps."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.buckets import bucket, buckets

LARGEST = st.integers(1, 300)


def test_buckets_are_powers_of_two():
    """From the largest, which comes first, down to one."""
    assert buckets(256) == (256, 128, 64, 32, 16, 8, 4, 2, 1)
    assert buckets(6) == (6, 4, 2, 1)
    assert buckets(1) == (1,)


@given(LARGEST, st.data())
def test_every_number_of_crops_has_the_smallest_bucket_that_holds_it(largest, data):
    """Less than half of a step is filled up, but for the largest, which may be any number."""
    crops = data.draw(st.integers(1, largest))
    size = bucket(crops, largest)
    assert crops <= size <= largest
    assert size in buckets(largest)
    assert size < 2 * crops
