"""Detects speech with the Silero voice detector, fed as a stream.

The network (Silero VAD v6, MIT, bundled with faster-whisper) reads 32 ms frames one after the
other and carries a small state along, so any length of audio needs the memory of one batch.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Samples = np.ndarray[tuple[int], np.dtype[np.float32]]

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 512
FRAME_MS = 32

_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (1, 1, 128)

# A span begins above the first figure and ends below the second, so one doubtful frame inside a
# word does not tear it apart.
_SPEECH_STARTS = 0.5
_SPEECH_ENDS = 0.35
# A pause shorter than this stays inside a span.
_SHORTEST_PAUSE_FRAMES = 10


@functools.cache
def _session() -> InferenceSession:
    # This costs 0.2 s and 40 MB, and only workers need it.
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    # The arena would keep the largest batch ever seen.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    # Importing faster-whisper only to ask where its files are would cost half a second.
    package = importlib.util.find_spec("faster_whisper")
    network = Path((package and package.origin) or "").parent / "assets" / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(
        str(network), providers=["CPUExecutionProvider"], sess_options=options
    )


def _whole_frames(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Yield the samples in blocks of whole frames; the last frame is padded with silence."""
    rest: Samples = np.zeros(0, np.float32)
    for block in blocks:
        joined = np.concatenate([rest, block])
        cut = len(joined) - len(joined) % FRAME_SAMPLES
        if cut:
            yield joined[:cut]
        rest = joined[cut:]
    if len(rest):
        yield np.pad(rest, (0, FRAME_SAMPLES - len(rest)))


def probabilities(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Yield how likely each 32 ms frame holds speech (0 to 1), one array per block.

    `blocks` are 16 kHz mono float32 samples of any lengths.
    """
    session = _session()
    hidden = cell = np.zeros(_STATE_SHAPE, np.float32)
    before = np.zeros(_CONTEXT_SAMPLES, np.float32)
    for block in _whole_frames(blocks):
        frames = block.reshape(-1, FRAME_SAMPLES)
        tails = np.vstack([before, frames[:-1, -_CONTEXT_SAMPLES:]])
        before = frames[-1, -_CONTEXT_SAMPLES:]
        found, hidden, cell = session.run(
            None, {"input": np.hstack([tails, frames]), "h": hidden, "c": cell}
        )
        yield found.reshape(-1)


def spans(chances: Samples) -> list[tuple[int, int]]:
    """Return runs of speech as frame numbers `(first, after the last)`, in order and apart.

    A run starts where the chance reaches 0.5 and ends where it stays under 0.35 for 0.32 s.
    """
    found: list[tuple[int, int]] = []
    start = quiet_since = None
    for frame, chance in enumerate(chances.tolist()):
        if chance >= _SPEECH_STARTS:
            start = frame if start is None else start
            quiet_since = None
        elif chance >= _SPEECH_ENDS or start is None:
            continue
        else:
            quiet_since = frame if quiet_since is None else quiet_since
            if frame - quiet_since >= _SHORTEST_PAUSE_FRAMES:
                found.append((start, quiet_since))
                start = quiet_since = None
    if start is not None:
        found.append((start, len(chances) if quiet_since is None else quiet_since))
    return found
