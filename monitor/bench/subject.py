# SPDX-License-Identifier: Apache-2.0
"""The word after `lifesign bench` in; what is measured out."""

from enum import StrEnum

__all__ = ["Subject"]


class Subject(StrEnum):
    """What is measured."""

    SERVICE = "service"
    LATENCY = "latency"
    GROWTH = "growth"
    SOAK = "soak"
    RECEIVE = "receive"
    LOSS = "loss"
    LOOK = "look"
    ENGINE = "engine"
    RING = "ring"
    PROCESSES = "processes"
