"""Logs: a JSON object per line, or coloured text for a terminal; libraries included."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from core.monitoring.scrubbing import redact

# Lines that say less than our own one line per request, or repeat it with the raw address.
QUIET = {
    "django.server": "ERROR",
    "django.security.DisallowedHost": "CRITICAL",
    "asyncio": "WARNING",
}


class OnlyMistakes(logging.Filter):
    """Of Django's lines about answers only those with a traceback; each answer has our own line."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


def configure(config: Mapping[str, str]) -> None:
    """Set up logging from `{"level": "INFO", "format": "json" | "console"}`; named in settings."""
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    _configure_structlog(first)
    logging.config.dictConfig(_stdlib(config, first))


def _configure_structlog(first: list[Processor]) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _stdlib(config: Mapping[str, str], first: list[Processor]) -> dict[str, Any]:
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": first,
        "processors": _last(config.get("format", "json")),
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"only_mistakes": {"()": OnlyMistakes}},
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": config.get("level", "INFO"), "handlers": ["stderr"]},
        "loggers": {
            # Django's defaults mail administrators and print twice; everything goes to the root.
            "django": {"handlers": [], "propagate": True},
            "django.request": {"handlers": [], "propagate": True, "filters": ["only_mistakes"]},
            **{
                name: {"level": level, "handlers": [], "propagate": True}
                for name, level in QUIET.items()
            },
        },
    }


def _last(style: str) -> list[Processor]:
    """Tracebacks become text before scrubbing, so that they are searched like any other text."""
    steps: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        redact,
    ]
    if style == "console":
        return [
            *steps,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    return [*steps, structlog.processors.JSONRenderer(serializer=_json)]


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
