"""How the channels of an audio track relate, and which mixes of them lose nothing.

Channels that carry one sound are averaged, those in opposite phase inverted first, because a plain
average would cancel them. Channels that carry different sounds are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

Planes = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Samples = np.ndarray[tuple[int], np.dtype[np.float32]]

# Above this correlation two channels carry one sound; a share above the second makes it doubtful.
_SAME_SOUND = 0.5
_DOUBT = 0.1
# In dB of full scale. The voice detector needs speech of some -60 dB; under the last is silence.
_QUIET_DB = -50
_TARGET_DB = -25
_LEAST_DB = -100
# The level of a channel is that of its loudest 2 % of seconds, so that pauses do not count.
_LOUDEST_SHARE = 0.02
_LARGEST_SAMPLE = 10.0


@dataclass(frozen=True, slots=True)
class TrackMix:
    """What to use of one audio track (by index): a factor for each channel.

    Without factors, or for another number of channels, it is their average.
    """

    track: int
    weights: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {"track": self.track, "weights": list(self.weights)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(data["track"], tuple(data["weights"]))


# The sum of these; none stands for the average of all channels of the first track.
Mix = tuple[TrackMix, ...]


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """Channels with one sound: their signs (0 for not in it) and the gain that it needs."""

    signs: tuple[int, ...]
    gain_db: int

    @classmethod
    def plain(cls, channels: int) -> Self:
        """All channels as they are."""
        return cls((1,) * channels, 0)

    @property
    def is_plain(self) -> bool:
        return self == ChannelGroup.plain(len(self.signs))

    @property
    def weights(self) -> tuple[float, ...]:
        """What each channel is multiplied by."""
        factor = 10 ** (self.gain_db / 20) / sum(map(abs, self.signs))
        return tuple(sign * factor for sign in self.signs)

    @property
    def channels(self) -> list[int]:
        """The numbers of its channels, from 1."""
        return [number for number, sign in enumerate(self.signs, start=1) if sign]

    @property
    def inverted(self) -> list[int]:
        """The numbers of the channels that are inverted, from 1."""
        return [number for number, sign in enumerate(self.signs, start=1) if sign < 0]


def mixed(planes: Planes, weights: tuple[float, ...]) -> Samples:
    """One channel of these; their average without weights for just as many."""
    if len(weights) != len(planes):
        return planes.mean(axis=0) if len(planes) > 1 else planes[0]
    # One by one: the sums of a matrix product depend on how many samples there are.
    total: Samples = np.zeros(planes.shape[1], np.float32)
    for weight, plane in zip(weights, planes, strict=True):
        if weight:
            total += np.float32(weight) * plane
    return total


def bounded(planes: Planes) -> Planes:
    """The same without what a float WAV may also hold: infinity, and "not a number"."""
    return np.clip(np.nan_to_num(planes), -_LARGEST_SAMPLE, _LARGEST_SAMPLE)


def gain_db(level: int) -> int:
    """By how much speech of this level (in dB of full scale) must be amplified to be detected."""
    return _TARGET_DB - level if _LEAST_DB < level < _QUIET_DB else 0


def level_db(samples: Samples) -> int:
    """The level of some sound in dB of full scale, -100 for silence."""
    power = float(np.mean(np.square(samples))) if len(samples) else 0.0
    return max(round(10 * np.log10(max(power, 1e-20))), _LEAST_DB)


class Levels:
    """How loud each channel is and how alike they are, gathered in constant memory."""

    def __init__(self) -> None:
        self._loudness = np.zeros((0, -_LEAST_DB + 1))
        self._alike = self._opposite = np.zeros((0, 0))

    def add(self, planes: Planes) -> None:
        """Take in about a second of sound. A change of the number of channels begins anew."""
        count = len(planes)
        if count != len(self._loudness):
            self._loudness = np.zeros((count, -_LEAST_DB + 1))
            self._alike, self._opposite = np.zeros((count, count)), np.zeros((count, count))
        power = np.mean(np.square(planes, dtype=np.float32), axis=1)
        levels = 10 * np.log10(np.maximum(power, 10 ** (_LEAST_DB / 10)))
        bins = np.clip(np.round(levels).astype(int) - _LEAST_DB, 0, -_LEAST_DB)
        self._loudness[np.arange(count), bins] += planes.shape[1]
        # Differences weigh speech more than hum and a constant offset.
        changes = np.diff(planes)
        products = changes @ changes.T
        self._alike += np.maximum(products, 0)
        self._opposite += np.maximum(-products, 0)

    def groups(self) -> list[ChannelGroup]:
        """The channels by their sounds, the loudest first; silent channels are in none."""
        energy = np.diag(self._alike)
        loud = [c for c in np.argsort(-energy, kind="stable") if self._level(c) > _LEAST_DB]
        found = []
        while loud:
            signs = {int(c): self._sign(loud[0], c) for c in loud}
            group = {c: sign for c, sign in signs.items() if sign is not None}
            loud = [c for c in loud if int(c) not in group]
            signs_of_all = tuple(group.get(c, 0) for c in range(len(energy)))
            found.append(ChannelGroup(signs_of_all, gain_db(self._level(next(iter(group))))))
        return found

    def _sign(self, reference: int, channel: int) -> int | None:
        """How to add a channel to another: 1, -1, 0 when that changes; None: another sound."""
        scale = np.sqrt(self._alike[reference, reference] * self._alike[channel, channel])
        alike = self._alike[reference, channel] / max(scale, 1e-12)
        opposite = self._opposite[reference, channel] / max(scale, 1e-12)
        if alike + opposite < _SAME_SOUND:
            return None
        if min(alike, opposite) > _DOUBT:
            return 0
        return 1 if alike > opposite else -1

    def _level(self, channel: int) -> int:
        amounts = self._loudness[channel]
        from_the_top = np.cumsum(amounts[::-1])
        steps = int(np.searchsorted(from_the_top, _LOUDEST_SHARE * from_the_top[-1]))
        return -min(steps, -_LEAST_DB)
