# SPDX-License-Identifier: Apache-2.0
"""Metrics of this process and of others in; one list of families, those of others labelled with their process, out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

__all__ = ["Gathering"]

Families = Sequence[Metric]


class Gathering(Collector):
    """`own` gives the families of this process, `others` those of each other one by its name."""

    def __init__(self, own: Callable[[], Families], others: Callable[[], Mapping[str, Families]]) -> None:
        self._own = own
        self._others = others

    def collect(self) -> Iterator[Metric]:
        """Each family once, with the samples of all processes."""
        gathered: dict[str, Metric] = {}
        _add(gathered, self._own(), {})
        for name, families in self._others().items():
            _add(gathered, families, {"process": name})
        yield from gathered.values()


def _add(gathered: dict[str, Metric], families: Iterable[Metric], label: Mapping[str, str]) -> None:
    for family in families:
        made = Metric(family.name, family.documentation, family.type)
        into = gathered.setdefault(family.name, made)
        into.samples += [sample._replace(labels={**sample.labels, **label}) for sample in family.samples]
