# SPDX-License-Identifier: Apache-2.0
"""What the blendshape network of MediaPipe reads and says: points of the mesh in, names of its outputs out."""

from typing import Final

__all__ = ["NAMES", "POINTS"]

POINTS: Final = (
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78),
    *(80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152),
    *(153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246),
    *(249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312),
    *(314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381),
    *(382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, *range(468, 478)),
)
"""Landmarks that the network reads, in its order (the model's contract: MediaPipe, face_blendshapes_graph.cc)."""

_BROWS = ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_CHEEKS = ("cheekPuff", "cheekSquintLeft", "cheekSquintRight")
_EYES = (
    *(
        f"eye{what}{side}"
        for what in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp")
        for side in ("Left", "Right")
    ),
    *(f"eye{what}{side}" for what in ("Squint", "Wide") for side in ("Left", "Right")),
)
_JAW = ("jawForward", "jawLeft", "jawOpen", "jawRight")
_MOUTH = (
    *("mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker"),
    *("mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
)

NAMES: Final = ("_neutral", *_BROWS, *_CHEEKS, *_EYES, *_JAW, *_MOUTH, "noseSneerLeft", "noseSneerRight")
"""Names of the network's outputs, in their order; the first is no movement of a face."""
