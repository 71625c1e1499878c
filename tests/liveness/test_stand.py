# SPDX-License-Identifier: Apache-2.0
"""What one way to run the network costs, one that is compiled first among them."""

import pytest
import torch

from models.compiled import can_compile
from models.ways import Absent, Way, ways
from monitor.liveness import stand
from monitor.liveness.stand import Stand
from tests.fakes.detector import FakeDetector

LOOKS = torch.full((3, 2, 8, 8, 3), 200, dtype=torch.uint8)


class Placed(FakeDetector):
    """A fake detector that says where it is."""

    device = torch.device("cpu")


def compiling(**fields: object) -> Way:
    """A way that is compiled first."""
    return Way("compiled", {}, Placed(**fields), compiles=True)


def at_work(said: list[str]) -> Stand:
    """A stand for steps of 1, 2 and 4."""
    return Stand(Placed(), LOOKS, (1, 2, 4), 0.0, said.append)


def test_each_size_is_compiled_in_turn_and_told():
    """What compiling took is told beside what the steps cost, and the way is held against the reference."""
    said: list[str] = []
    found = at_work(said).trial(compiling(), 2)
    assert (list(found.ms), list(found.compile_s), found.off, found.threads) == ([1, 2, 4], [1, 2, 4], 0.0, 2)
    assert [line.rpartition(" of ")[2] for line in said] == ["1 …", "2 …", "4 …"]


def test_what_compiled_too_long_is_given_no_further_size(monkeypatch):
    """One size that takes for ever is the last."""
    monkeypatch.setattr(stand, "COMPILE_S", 1e-9)
    found = at_work([]).trial(compiling(), 1)
    assert list(found.ms) == list(found.compile_s) == [1]
    assert found.off == 0.0


def test_a_compiler_that_fails_is_told_in_one_line():
    """The way is absent, with the reason; a way that compiles nothing has no such excuse."""
    broken = {"fail_at": frozenset({0}), "failure": RuntimeError("Python.h is missing\nIn file included from …")}
    found = at_work([]).trial(compiling(**broken), 1)
    assert found.absent == "could not be compiled: Python.h is missing"
    assert not found.allowed
    with pytest.raises(RuntimeError, match="is missing"):
        at_work([]).trial(Way("plain", {}, Placed(**broken)), 1)


def test_a_machine_without_a_compiler_is_told(monkeypatch):
    """Nothing is tried with a compiler that is not there; CXX names another."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    absent = next(way for way in ways("default", "cpu", LOOKS) if isinstance(way, Absent))
    assert (absent.name, absent.why) == ("torch, compiled", "needs a C++ compiler, such as g++")
    monkeypatch.setenv("CXX", "sh")
    assert can_compile()
