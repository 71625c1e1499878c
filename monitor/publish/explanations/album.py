# SPDX-License-Identifier: Apache-2.0
"""Explanations with their worst looks in, sealed files out and back again; blocking, for one thread."""

from collections.abc import Sequence

from pydantic import ValidationError

from monitor.config import Settings
from monitor.errors import PicturesError, PicturesKeyError
from monitor.publish.explanations.explanation import Explanation, Kept, keep
from monitor.publish.explanations.folder import Folder, Survey
from monitor.publish.explanations.seal import DamagedError, OtherKeyError, Seal
from monitor.values import WorstLook

__all__ = ["Album", "open_album"]

SECONDS_PER_H = 3600.0
BYTES_PER_MIB = 1 << 20


class Album:
    """A folder and the seal that its files are closed with; without a seal nothing is written or read.

    `unreadable` counts files that were asked for and are damaged.
    """

    def __init__(self, folder: Folder, seal: Seal | None) -> None:
        self.folder = folder
        self.unreadable = 0
        self._seal = seal

    @property
    def on(self) -> bool:
        """Whether pictures are kept."""
        return self._seal is not None

    def prepare(self) -> None:
        """Make the folder; raises PicturesError when it cannot be written."""
        try:
            self.folder.prepare()
        except OSError as error:
            raise PicturesError(
                f"The folder of pictures {self.folder.path} cannot be written: {error.strerror}.",
                "Give the service's user the right to write there, or set evidence.folder.",
            ) from error

    def check_key(self) -> None:
        """Raises PicturesKeyError when some of the files cannot be opened with the key."""
        unread = self.folder.sealed_otherwise(self._seal) if self._seal else 0
        if unread:
            raise self._other_key(f"{unread} files")

    def write(self, explanation: Explanation, looks: Sequence[WorstLook]) -> None:
        """Put an alert's pictures in place of those before; raises OSError."""
        if self._seal is not None:
            content = keep(explanation, looks).model_dump_json().encode()
            self.folder.write(explanation.alert.alert, self._seal.close(explanation.alert.alert, content))

    def read(self, alert: str) -> Kept | None:
        """What is kept of an alert; None when there is nothing, nothing any more, or nothing that can be read.

        Raises PicturesKeyError for what was sealed with another key.
        """
        sealed = self.folder.read(alert) if self._seal else None
        if self._seal is None or sealed is None:
            return None
        try:
            return Kept.model_validate_json(self._seal.open(alert, sealed))
        except OtherKeyError as error:
            raise self._other_key("The pictures of this alert") from error
        except (DamagedError, ValidationError):
            self.unreadable += 1
            return None

    def sweep(self) -> Survey:
        """Delete what has expired, also what was kept while pictures were on; raises OSError."""
        return self.folder.sweep()

    def _other_key(self, what: str) -> PicturesKeyError:
        return PicturesKeyError(
            f"{what} in {self.folder.path} cannot be opened with this key.",
            "Set evidence.key to the key they were sealed with, or wait until they expire.",
        )


def open_album(settings: Settings) -> Album:
    """The album of these settings; one folder for each node name, since one process alone may keep it."""
    evidence = settings.evidence
    path = evidence.folder or settings.paths.state / f"pictures-{settings.node.name}"
    key = evidence.key_bytes() if evidence.pictures else None
    folder = Folder(path, evidence.keep_h * SECONDS_PER_H, evidence.most_mib * BYTES_PER_MIB)
    return Album(folder, Seal(key) if key else None)
