"""Speech is found in whichever tracks and channels hold it, and what is left out is said."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from meetings.media import decode, probe
from meetings.text.notes import NoteCode
from meetings.transcription import engine
from meetings.transcription.windows import Plan
from tests.bench import recordings
from tests.meetings.media import files

RATE = decode.SAMPLE_RATE
SECONDS = 6


@pytest.fixture(scope="module")
def speech() -> decode.Samples:
    return np.concatenate(list(decode.stream(recordings.JFK, end_ms=SECONDS * 1000)))


@pytest.fixture(scope="module")
def silence() -> decode.Samples:
    return np.zeros(SECONDS * RATE, np.float32)


@pytest.fixture(scope="module")
def hum() -> decode.Samples:
    times = np.arange(SECONDS * RATE) / RATE
    return (0.5 * np.sin(2 * np.pi * 100 * times) + 0.3 * np.sin(2 * np.pi * 150 * times)).astype(
        np.float32
    )


def write_wav(path: Path, *channels: decode.Samples) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.stack(channels, axis=1) * 32767).astype("<i2").tobytes())
    return path


def write_tracks(path: Path, *tracks: decode.Samples, languages: tuple[str, ...] = ()) -> Path:
    """A Matroska file with an audio track for each of these."""
    with av.open(str(path), "w") as out:
        streams = []
        for number in range(len(tracks)):
            stream = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
            assert isinstance(stream, AudioStream)
            if languages:
                stream.metadata["language"] = languages[number]
            streams.append(stream)
        for start in range(0, SECONDS * RATE, RATE):
            for stream, samples in zip(streams, tracks, strict=True):
                part = (samples[np.newaxis, start : start + RATE] * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
                frame.sample_rate, frame.pts = RATE, start
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


def heard(path: Path, plan: Plan) -> decode.Samples:
    """What is given to the speech model, at its place in the recording."""
    found = np.zeros(SECONDS * RATE, np.float32)
    for window in plan.windows:
        with decode.MixReader(path, window.mix) as reader:
            samples = reader.read(window.start_ms, window.end_ms)
        found[window.start_ms * 16 : window.start_ms * 16 + len(samples)] = samples
    return found


def likeness(one: decode.Samples, other: decode.Samples) -> float:
    return float(np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))


def notes_of(plan: Plan) -> dict[NoteCode, dict[str, object]]:
    return {note.code: note.details for note in plan.notes}


def test_a_plain_recording_is_taken_as_it_is(tmp_path: Path, speech: decode.Samples) -> None:
    plan = engine.plan_recording(write_wav(tmp_path / "x.wav", speech, speech))
    assert {window.mix for window in plan.windows} == {()}
    assert plan.notes == ()


def test_channels_in_opposite_phase_are_not_cancelled(
    tmp_path: Path, speech: decode.Samples
) -> None:
    path = write_wav(tmp_path / "x.wav", speech, -speech)
    plan = engine.plan_recording(path)
    assert notes_of(plan) == {NoteCode.CHANNELS_INVERTED: {"track": 1, "channels": [2]}}
    assert likeness(heard(path, plan), speech) > 0.95


def test_a_phase_that_changes_on_the_way_cancels_nothing(
    tmp_path: Path, speech: decode.Samples
) -> None:
    turned = speech * np.where(np.arange(len(speech)) < len(speech) // 2, 1, -1)
    path = write_wav(tmp_path / "x.wav", speech, turned.astype(np.float32))
    plan = engine.plan_recording(path)
    assert (
        abs(likeness(heard(path, plan), speech)) > 0.95
        or abs(likeness(heard(path, plan), turned.astype(np.float32))) > 0.95
    )


def test_speech_on_one_of_nine_channels_is_found(
    tmp_path: Path, speech: decode.Samples, silence: decode.Samples
) -> None:
    channels = [silence] * 9
    channels[4] = speech
    path = write_wav(tmp_path / "x.wav", *channels)
    assert probe.probe(path).channels == 9
    plan = engine.plan_recording(path)
    assert likeness(heard(path, plan), speech) > 0.95
    assert np.abs(heard(path, plan)).max() > 0.5 * np.abs(speech).max()


def test_very_quiet_speech_is_amplified(tmp_path: Path, speech: decode.Samples) -> None:
    path = write_wav(tmp_path / "x.wav", speech * np.float32(0.001))
    plan = engine.plan_recording(path)
    usual = engine.plan_recording(write_wav(tmp_path / "usual.wav", speech))
    assert plan.speech_ms == pytest.approx(usual.speech_ms, rel=0.2)
    assert set(notes_of(plan)) == {NoteCode.QUIET_SPEECH_AMPLIFIED}
    assert np.abs(heard(path, plan)).max() > 0.1


def test_a_quiet_part_of_a_loud_recording_is_found(tmp_path: Path, speech: decode.Samples) -> None:
    # Blocks of ten seconds are brought to one level.
    ten = np.zeros(10 * RATE, np.float32)
    loud, quiet = ten.copy(), ten.copy()
    loud[: len(speech)], quiet[: len(speech)] = speech, speech * np.float32(0.0015)
    path = write_wav(tmp_path / "x.wav", np.concatenate([loud, quiet, loud]))
    spans = [span for window in engine.plan_recording(path).windows for span in window.speech]
    found_ms = sum(end - start for start, end in spans if start >= 10_000 and end <= 20_000)
    expected_ms = sum(end - start for start, end in spans if end < 10_000)
    assert found_ms == pytest.approx(expected_ms, rel=0.2)


def test_noise_is_not_taken_for_quiet_speech(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.001, 20 * RATE).astype(np.float32)
    assert engine.plan_recording(write_wav(tmp_path / "x.wav", noise)).windows == ()


def test_a_humming_channel_does_not_bury_the_speech_of_another(
    tmp_path: Path, speech: decode.Samples, hum: decode.Samples
) -> None:
    path = write_wav(tmp_path / "x.wav", hum, speech * np.float32(0.01))
    plan = engine.plan_recording(path)
    assert notes_of(plan)[NoteCode.CHANNELS_WITHOUT_SPEECH] == {"track": 1, "channels": [1]}
    assert likeness(heard(path, plan), speech) > 0.9


def test_two_people_on_a_channel_each_are_both_heard(
    tmp_path: Path, speech: decode.Samples, silence: decode.Samples
) -> None:
    half = len(speech) // 2
    first, second = silence.copy(), silence.copy()
    first[:half], second[half:] = speech[:half], speech[half:] * np.float32(0.003)
    path = write_wav(tmp_path / "x.wav", first, second)
    plan = engine.plan_recording(path)
    found = heard(path, plan)
    assert likeness(found[:half], speech[:half]) > 0.9
    assert likeness(found[half:], speech[half:]) > 0.9


def test_a_recording_without_speech_says_so(tmp_path: Path, hum: decode.Samples) -> None:
    plan = engine.plan_recording(write_wav(tmp_path / "x.wav", hum))
    assert (plan.windows, set(notes_of(plan))) == ((), {NoteCode.NO_SPEECH})


def test_the_track_that_holds_speech_is_used() -> None:
    plan = engine.plan_recording(recordings.AUDIO / "first_track_silent.mp4")
    assert plan.speech_ms > 3000
    assert notes_of(plan) == {NoteCode.TRACKS_WITHOUT_SPEECH: {"tracks": [1]}}


def test_all_tracks_that_hold_speech_are_mixed(
    tmp_path: Path, speech: decode.Samples, silence: decode.Samples
) -> None:
    half = len(speech) // 2
    first, third = silence.copy(), silence.copy()
    first[:half], third[half:] = speech[:half], speech[half:]
    path = write_tracks(tmp_path / "x.mkv", first, silence, third)
    plan = engine.plan_recording(path)
    assert notes_of(plan) == {NoteCode.TRACKS_WITHOUT_SPEECH: {"tracks": [2]}}
    assert likeness(heard(path, plan), speech) > 0.95
    assert Plan.from_json(plan.to_json()) == plan


def test_a_dubbed_track_is_left_out(tmp_path: Path, speech: decode.Samples) -> None:
    dubbed = np.roll(speech, RATE)
    path = write_tracks(tmp_path / "x.mkv", speech, dubbed, languages=("eng", "ger"))
    plan = engine.plan_recording(path)
    assert notes_of(plan) == {NoteCode.TRACKS_IN_OTHER_LANGUAGES: {"tracks": [2]}}
    assert likeness(heard(path, plan), speech) > 0.95


def test_tracks_beyond_the_eighth_are_named(tmp_path: Path, silence: decode.Samples) -> None:
    path = write_tracks(tmp_path / "x.mkv", *[silence] * 10)
    notes = notes_of(engine.plan_recording(path))
    assert notes[NoteCode.TRACKS_NOT_EXAMINED] == {"tracks": [9, 10]}


def test_windows_are_decoded_from_the_start_where_a_seek_leads_elsewhere(tmp_path: Path) -> None:
    kind = files.Kind("x.wav", "audio/wav", "wav", "adpcm_ima_wav", 8_000)
    path = files.write(kind, tmp_path / kind.name, files.speech())
    plan = engine.plan_recording(path)
    assert all(window.from_start for window in plan.windows)
