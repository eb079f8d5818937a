"""Where the recordings for tests lie, and small ones made on the spot."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "data" / "audio"
JFK = FOLDER / "jfk.flac"
MEETING = FOLDER / "meeting_2spk_170s.ogg"


def tone(*, seconds: float = 1.0, hertz: float = 440.0, rate: int = 8000) -> bytes:
    """A WAV file of a sine tone: audio in which nobody speaks."""
    times = np.arange(int(seconds * rate)) / rate
    samples = (np.sin(2 * np.pi * hertz * times) * 8000).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()
