# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a model, each error with what happened and what to do next."""

__all__ = ["DataError", "ModelError", "RecogniserError", "TrainingError", "WeightsError"]


class ModelError(Exception):
    """Base of every error of this package."""


class WeightsError(ModelError):
    """A weight file, its manifest entry or its calibration cannot be trusted or does not fit."""


class DataError(ModelError):
    """Footage or crops are missing or unreadable, or their licence forbids the use."""


class TrainingError(ModelError):
    """Training cannot go on, for instance because the loss is no longer a number."""


class RecogniserError(ModelError):
    """What was said cannot be told: the speech recogniser is not installed, failed, or took too long."""
