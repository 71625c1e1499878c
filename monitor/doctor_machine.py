# SPDX-License-Identifier: Apache-2.0
"""The machine in; checks of Python, packages, libraries, codecs, processor, device and clock out."""

import ctypes
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from monitor.config import Settings
from monitor.errors import DeviceError, StartError

__all__ = ["clock", "codecs", "device", "libraries", "packages", "processor", "python", "tap"]

OLDEST_PYTHON: Final = (3, 11)
LIBRARIES: Final = {
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
}
"""What MediaPipe's library (the first two) and OpenCV's are linked against, and the Debian package that holds it."""
TELEMETRY_FROM: Final = "0.10.35"
"""From this version on MediaPipe sends usage data to its maker and offers no switch."""
CODECS: Final = (
    *((name, "r") for name in ("vp8", "libvpx", "h264", "libvpx-vp9", "libdav1d")),
    ("libvpx", "w"),
    ("libx264", "w"),
)
RELEASED: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time."""
REINSTALL: Final = "Install anew into an environment of its own: make clean setup, or pip install lifesign."


def python(_settings: Settings) -> str:
    """Python is new enough."""
    found = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise StartError(f"Python {found} is too old.", "Make the environment with Python 3.11 or newer.")
    return f"Python {found} at {sys.executable}"


def packages(_settings: Settings) -> str:
    """Every package has a version that was tested, and `monitor` and `models` are ours."""
    try:
        needs = [Requirement(text) for text in requires("lifesign") or ()]
    except PackageNotFoundError as error:
        raise StartError("The distribution lifesign is not installed.", REINSTALL) from error
    wanted = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    _refuse_telemetry()
    faults = [fault for need in wanted if (fault := _mismatch(need))]
    if faults:
        raise StartError(f"Packages do not fit: {'; '.join(faults)}.", REINSTALL)
    _refuse_twins()
    _refuse_strangers()
    return f"{len(wanted)} direct dependencies at tested versions"


def libraries(_settings: Settings) -> str:
    """The system libraries that wheels cannot carry are there."""
    missing = [name for name in LIBRARIES if not _loads(name)]
    if missing:
        names = " ".join(LIBRARIES[name] for name in missing)
        raise StartError(
            f"System libraries are missing: {', '.join(missing)}.",
            f"On Debian and Ubuntu: sudo apt-get install {names}. Faces cannot be found without them.",
        )
    return ", ".join(LIBRARIES)


def codecs(_settings: Settings) -> str:
    """The codecs that browsers send can be decoded, and encoded for the test caller."""
    import av

    missing = []
    for name, mode in CODECS:
        try:
            av.codec.Codec(name, mode)  # type: ignore[arg-type]
        except ValueError:
            missing.append(f"{name} ({'decoder' if mode == 'r' else 'encoder'})")
    if missing:
        raise StartError(f"Codecs are missing: {', '.join(missing)}.", f"PyAV was built without them. {REINSTALL}")
    return "VP8 and H.264 both ways, VP9 and AV1 decoded"


def tap(settings: Settings) -> str:
    """Encoded media can be taken from the installed aiortc, if that is wished."""
    from monitor.capture.route import check_tap, takes_datagrams

    if settings.capture.path == "plain":
        return "not wished: capture.path is plain"
    check_tap()
    how = "datagrams" if takes_datagrams() else "packets, which costs more: install the pinned aiortc and aioice"
    return f"encoded media can be taken from aiortc {version('aiortc')} as {how}"


def processor(_settings: Settings) -> str:
    """How much there is to compute with; never fails."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{usable} of {os.cpu_count()} cores, {memory_gib:.1f} GiB of memory, {platform.machine()}"


def device(settings: Settings) -> str:
    """The device that the networks shall run on is there."""
    import torch

    wanted = settings.liveness.device
    found = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no CUDA GPU"
    if not wanted.startswith("cuda"):
        return f"{wanted}: {found}, torch {torch.__version__}"
    number = int(wanted.partition(":")[2] or 0)
    if torch.cuda.is_available() and number < torch.cuda.device_count():
        return f"{wanted}: {torch.cuda.get_device_name(number)}, torch {torch.__version__}"
    why = "torch is a CPU build" if torch.version.cuda is None else f"{torch.cuda.device_count()} CUDA GPUs are visible"
    raise DeviceError(
        f"liveness.device is {wanted}, but {why}.",
        "Set liveness.device to auto or cpu, or install the CUDA build of torch and the GPU's driver.",
    )


def clock(_settings: Settings) -> str:
    """The clock is not before the program was made: certificates and event times depend on it."""
    now = datetime.fromtimestamp(time.time(), UTC)
    if now < RELEASED:
        raise StartError(
            f"The clock shows {now:%Y-%m-%d %H:%M} UTC, before this program was made.",
            "Set it, for example with: sudo timedatectl set-ntp true",
        )
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _mismatch(need: Requirement) -> str:
    found = _installed(need.name)
    if found is None:
        return f"{need.name} is missing"
    fits = need.specifier.contains(found, prereleases=True)
    return "" if fits else f"{need.name} is {found}, tested is {need.specifier}"


def _refuse_telemetry() -> None:
    found = _installed("mediapipe")
    if found is not None and Requirement(f"mediapipe>={TELEMETRY_FROM}").specifier.contains(found):
        raise StartError(
            f"mediapipe {found} sends usage data to its maker when it closes (every version from {TELEMETRY_FROM} on).",
            "pip install mediapipe==0.10.33",
        )


def _refuse_twins() -> None:
    plain, contrib = _installed("opencv-python"), _installed("opencv-contrib-python")
    if plain != contrib:
        raise StartError(
            f"opencv-python is {plain} and opencv-contrib-python is {contrib}; both write the folder cv2.",
            f"pip install --force-reinstall opencv-python=={contrib} opencv-contrib-python=={contrib}",
        )
    if _installed("asyncio-mqtt") is not None:
        raise StartError(
            "asyncio-mqtt is installed; its last release cannot make a client with today's paho-mqtt.",
            "pip uninstall asyncio-mqtt; Lifesign uses its successor aiomqtt.",
        )


def _refuse_strangers() -> None:
    """`monitor` and `models` are common names: both must lie in the folder this file comes from."""
    root = Path(__file__).resolve().parents[1]
    for name in ("monitor", "models"):
        spec = find_spec(name)
        place = Path(spec.origin).resolve().parents[1] if spec and spec.origin else None
        if place != root:
            raise StartError(
                f"The package {name} comes from {place or 'nowhere'}, not from lifesign in {root}.",
                f"Another distribution or folder has the same name. {REINSTALL}",
            )
