# SPDX-License-Identifier: Apache-2.0
"""Where calls live: together, where there is least to do, and nowhere that is gone."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitor.processes.placement import Placement, shares

CALLS, PEOPLE, PROCESSES = ("a", "b", "c", "d"), ("ann", "bob"), 3
NAMES = st.tuples(st.sampled_from(CALLS), st.sampled_from(PEOPLE))


def placed(*names: tuple[str, str], processes: int = 2) -> Placement:
    """Everybody let in, by processes that are all up."""
    placement = Placement(processes)
    for process in range(processes):
        placement.began(process)
    for name in names:
        placement.entered(*name, placement.enter(*name), let_in=True)
    return placement


def test_a_call_stays_together_and_a_new_one_goes_where_fewest_are() -> None:
    """By participants, not by calls."""
    placement = placed(("a", "ann"), ("a", "bob"), ("b", "ann"), ("c", "ann"), ("a", "cid"))
    assert [placement.find(call) for call in "abc"] == [0, 1, 1]
    assert [placement.load(process) for process in (0, 1)] == [3, 2]


def test_who_is_refused_leaves_no_trace() -> None:
    """A call that nobody got into lives nowhere."""
    placement = placed()
    placement.entered("a", "ann", placement.enter("a", "ann"), let_in=False)
    assert (placement.find("a"), placement.participants) == (None, 0)


def test_a_report_sent_before_somebody_came_does_not_send_them_away() -> None:
    """The second one without them does."""
    placement = placed(("a", "ann"))
    placement.report(0, ())
    assert ("a", "ann") in placement
    placement.report(0, ())
    assert placement.find("a") is None


def test_while_somebody_is_let_in_their_call_stays_where_it_is() -> None:
    """However many reports come meanwhile: the second participant must find the same process."""
    placement = placed()
    process = placement.enter("a", "ann")
    for _ in range(5):
        placement.report(process, ())
    assert placement.enter("a", "bob") == process
    assert placement.participants == 2


def test_nobody_enters_a_call_whose_last_word_is_still_to_be_said() -> None:
    """Its process is down; a beginning told elsewhere would be followed by the old call's end."""
    placement = placed(("a", "ann"), ("b", "ann"))
    placement.down(0)
    assert placement.enter("a", "ann") is None
    assert placement.enter("b", "bob") == 1
    placement.lost(0)
    assert placement.enter("a", "ann") == 1


def test_a_lost_process_takes_its_calls_with_it() -> None:
    """They are placed anew, elsewhere as long as it is gone; its late answers change nothing."""
    placement = placed(("a", "ann"), ("b", "ann"))
    assert placement.enter("a", "bob") == 0
    placement.lost(0)
    assert placement.enter("a", "ann") == 1
    placement.entered("a", "bob", 0, let_in=True)
    assert ("a", "bob") not in placement
    placement.lost(1)
    assert placement.enter("b", "ann") is None


def test_pulled_calls_live_where_they_are_pulled() -> None:
    """Also before their media flow; while that process is gone nobody else gets into them."""
    placement = Placement(2, {"a": 1})
    placement.began(0)
    assert placement.enter("a", "ann") is None
    placement.began(1)
    assert placement.enter("a", "ann") == 1


def test_pulls_are_dealt_out_by_calls() -> None:
    """The largest first, each whole."""
    assert shares(["a", "b", "b", "c", "b", "a"], 2) == {"b": 0, "a": 1, "c": 1}


class Comings(RuleBasedStateMachine):
    """Participants who come, are let in or not, processes that report, are lost and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.placement = Placement(PROCESSES)
        self.up: set[int] = set()
        self.entering: list[tuple[str, str, int]] = []

    @rule(process=st.integers(0, PROCESSES - 1))
    def begin(self, process: int) -> None:
        """A process is there."""
        self.placement.began(process)
        self.up.add(process)

    @rule(process=st.integers(0, PROCESSES - 1))
    def lose(self, process: int) -> None:
        """A process is gone."""
        self.placement.lost(process)
        self.up.discard(process)
        assert self.placement.load(process) == 0

    @rule(name=NAMES)
    def enter(self, name: tuple[str, str]) -> None:
        """Somebody is sent to a process that is up, the one of their call if that lives anywhere."""
        before = self.placement.find(name[0])
        process = self.placement.enter(*name)
        assert (process is None) == (not self.up)
        if process is not None:
            assert process in self.up
            assert before in {None, process}
            self.entering.append((*name, process))

    @rule(let_in=st.booleans(), index=st.integers(0, 20))
    def entered(self, index: int, *, let_in: bool) -> None:
        """An answer came."""
        if self.entering:
            call, who, process = self.entering.pop(index % len(self.entering))
            self.placement.entered(call, who, process, let_in=let_in)

    @rule(process=st.integers(0, PROCESSES - 1))
    def report(self, process: int) -> None:
        """A process says that nobody is there."""
        self.placement.report(process, ())

    @invariant()
    def every_call_lives_where_something_is_up(self) -> None:
        """And is gone when nobody is in it."""
        homes = {self.placement.find(call) for call in CALLS} - {None}
        assert homes <= self.up
        assert self.placement.participants <= len(CALLS) * len(PEOPLE)


TestComings = Comings.TestCase
