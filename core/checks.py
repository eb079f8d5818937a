"""Misconfiguration, found at start: each finding has an id and a hint that says what to set."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http.request import validate_host
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from core import errors
from core.events.registry import unknown_subscriptions
from core.files.storage_url import bucket_of, faults_of
from core.jobs.policies import unknown_queues
from core.jobs.queues import QUEUES
from core.monitoring import dependency_checks
from core.notifications.kinds import kinds
from core.outbound.addresses import unusable_networks
from core.secrets.keyring import KeysUnusable, read_keys

SHORTEST_SECRET = 50
SETTINGS_TABLE = "config/deploy/README.md"
THREE_WAYS = "Set it, or start with `./mb`, which brings its own, or use docker-compose.yml."


@register(Tags.security)
def check_secret_key(**_kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= SHORTEST_SECRET:
        return []
    hint = "Set SECRET_KEY to at least 50 random characters, the same on every machine."
    return [Error("SECRET_KEY is missing or too short.", hint=hint, id="core.E001")]


@register(Tags.security)
def check_secret_keys(**_kwargs: Any) -> list[CheckMessage]:
    try:
        read_keys(settings.SECRET_KEYS)
    except KeysUnusable as error:
        hint = (
            "Set SECRET_KEYS to k1: and 32 random bytes in base64 (`openssl rand -base64 32`), the"
            " same on every machine. Put a new key before the old ones, which still open."
        )
        return [Error(str(error), hint=hint, id="core.E020")]
    return []


@register(Tags.security)
def check_allowed_networks(**_kwargs: Any) -> list[CheckMessage]:
    """A range that opens the inside to customers should at least be meant."""
    hint = "Write networks such as 10.1.0.0/16, without bits set beyond the prefix, and not /0."
    return [
        Error(f"SSRF_ALLOW_CIDRS cannot hold {text!r}.", hint=hint, id="core.E023")
        for text in unusable_networks(settings.SSRF_ALLOW_CIDRS)
    ]


@register(Tags.database)
def check_database_url(**_kwargs: Any) -> list[CheckMessage]:
    if urlsplit(settings.DATABASE_URL).scheme in ("postgres", "postgresql"):
        return []
    return [Error("DATABASE_URL names no PostgreSQL database.", hint=THREE_WAYS, id="core.E002")]


@register()
def check_redis_url(**_kwargs: Any) -> list[CheckMessage]:
    return [
        Error(f"{name} names no Redis or Valkey server.", hint=THREE_WAYS, id=number)
        for name, number in (("REDIS_URL", "core.E003"), ("CACHE_URL", "core.E004"))
        if urlsplit(getattr(settings, name)).scheme not in ("redis", "rediss", "unix")
    ]


@register()
def check_broker_is_not_the_cache(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.REDIS_URL or _place(settings.REDIS_URL) != _place(settings.CACHE_URL):
        return []
    hint = "Give CACHE_URL another database number, or better another server that may evict."
    return [Error("The cache shares the broker's database.", hint=hint, id="core.E005")]


def _place(url: str) -> tuple[str | None, int | None, str]:
    parts = urlsplit(url)
    return parts.hostname, parts.port, parts.path.strip("/") or "0"


@register(Tags.database)
def check_pool(**_kwargs: Any) -> list[CheckMessage]:
    pool = settings.DATABASE_POOL
    if not pool or (len(pool) == 2 and 0 <= pool[0] <= pool[1] and pool[1] > 0):
        return []
    hint = 'DATABASE_POOL is "least,most" connections of the web process, for example "10,100".'
    return [Error("DATABASE_POOL is not understood.", hint=hint, id="core.E006")]


@register()
def check_queues(**_kwargs: Any) -> list[CheckMessage]:
    hint = "Name one of the queues in core/jobs/queues.py in the task's decorator."
    return [
        Error(f"Nobody serves queue {p.queue!r} of {p.kind}.", hint=hint, id="core.E007")
        for p in unknown_queues()
    ]


@register()
def check_running_per_organization(**_kwargs: Any) -> list[CheckMessage]:
    """A misspelt queue would be ignored in silence."""
    hint = f"Name a queue and a number above zero. Queues: {', '.join(QUEUES)}."
    wrong = [
        f"{name}={jobs}"
        for name, jobs in settings.JOB_RUNNING_PER_ORGANIZATION.items()
        if name not in QUEUES or jobs < 1
    ]
    return [
        Error(f"JOB_RUNNING_PER_ORGANIZATION cannot be {part}.", hint=hint, id="core.E012")
        for part in wrong
    ]


@register()
def check_subscriptions(**_kwargs: Any) -> list[CheckMessage]:
    hint = "Declare the type in the publishing app's events.py, or correct the name."
    return [
        Error(f"{s.name} listens to unknown event {s.event_type!r}.", hint=hint, id="core.E008")
        for s in unknown_subscriptions()
    ]


@register()
def check_numbers(**_kwargs: Any) -> list[CheckMessage]:
    """Times and limits that must be above nothing."""
    names: Sequence[str] = (
        "JOB_LEASE_SECONDS",
        "JOB_WINDOW",
        "JOB_WINDOW_PER_ORGANIZATION",
        "JOB_HISTORY_DAYS",
        "JOB_DEAD_DAYS",
        "NOTIFICATION_KEEP_DAYS",
        "RELAY_PERIOD_SECONDS",
        "CLOCK_PERIOD_SECONDS",
        "SHUTDOWN_GRACE_SECONDS",
        "PENDING_FILE_SECONDS",
        "RECORDING_MAX_BYTES",
        "RECORDING_MAX_HOURS",
        "UPLOADS_AT_ONCE",
        "ASR_THREADS",
        "TRANSFER_GRACE_SECONDS",
        "TRANSFER_MIN_BYTES_PER_SECOND",
        "JSON_MAX_BYTES",
        "JSON_MAX_DEPTH",
        "TRANSCRIPT_MAX_BYTES",
        "DATABASE_CONNECT_ATTEMPTS",
        "DATABASE_STATEMENT_TIMEOUT_SECONDS",
    )
    return [
        Error(f"{name} must be above zero.", hint=f"Correct or unset {name}.", id="core.E009")
        for name in names
        if getattr(settings, name) <= 0
    ]


@register()
def check_storage_url(**_kwargs: Any) -> list[CheckMessage]:
    """An address that is half understood would put recordings where nobody looks for them."""
    hint = "Set STORAGE_URL to a folder, or to s3://bucket/folder?endpoint=https://...&region=..."
    return [
        Error(f"STORAGE_URL: {fault}", hint=hint, id="core.E013")
        for fault in faults_of(settings.STORAGE_URL)
    ]


@register()
def check_upload_folder(**_kwargs: Any) -> list[CheckMessage]:
    """Where files are in a bucket, a temporary folder is often memory, and too small."""
    if bucket_of(settings.STORAGE_URL) is None or settings.UPLOAD_FOLDER:
        return []
    hint = "Set UPLOAD_FOLDER to a folder on a disk with room for the largest recordings."
    message = "Uploads, and files fetched from the bucket, wait in the temporary folder."
    return [checks.Warning(message, hint=hint, id="core.W004")]


@register(deploy=True)
def check_bucket(**_kwargs: Any) -> list[CheckMessage]:
    """A bucket that is not there, or is somebody else's, would refuse every upload."""
    if bucket_of(settings.STORAGE_URL) is None or faults_of(settings.STORAGE_URL):
        return []
    try:
        default_storage.check_bucket()  # type: ignore[attr-defined]
    except (errors.TooBusy, FileNotFoundError) as error:
        hint = (
            "Look at STORAGE_URL, and at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. It must allow"
            " s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket."
        )
        return [Error(f"The bucket does not answer: {error.__cause__}", hint=hint, id="core.E014")]
    return []


@register()
def check_storage(**_kwargs: Any) -> list[CheckMessage]:
    """A disk that cannot be written would lose every upload."""
    if bucket_of(settings.STORAGE_URL) is not None:
        return []
    folder = Path(settings.STORAGE_URL)
    hint = "Create the folder, or point STORAGE_URL at one that this user may write to."
    if _is_writable(folder):
        return []
    return [Error(f"{folder} cannot be written to.", hint=hint, id="core.E010")]


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


@register()
def check_setting_values(**_kwargs: Any) -> list[CheckMessage]:
    """A value of the wrong form, such as JOB_WINDOW=many."""
    return [
        Error(
            f"{name} cannot be read.",
            hint=f"Write it as {FORMS.get(kind, kind)}, or unset it; default: {SETTINGS_TABLE}.",
            id="core.E017",
        )
        for name, kind in sorted(settings.SETTING_FAULTS.items())
    ]


@register()
def check_setting_names(**_kwargs: Any) -> list[CheckMessage]:
    """A misspelt name would leave a setting at its default in silence."""
    known = settings.SETTING_NAMES | OTHER_NAMES
    strangers = (set(os.environ) | settings.ENV_FILE_NAMES) - known
    found: list[CheckMessage] = []
    for name in sorted(strangers):
        meant = difflib.get_close_matches(name, settings.SETTING_NAMES, 1, CLOSE)
        if meant or name in settings.ENV_FILE_NAMES:
            hint = f"Did you mean {meant[0]}?" if meant else f"{SETTINGS_TABLE} lists the settings."
            found.append(checks.Warning(f"{name} is no setting.", hint=hint, id="core.W006"))
    return found


FORMS = {"int": "a whole number", "float": "a number", "bool": "true or false", "url": "a URL"}
# Read by docker-compose.yml and by libraries.
OTHER_NAMES = frozenset({
    "POSTGRES_PASSWORD", "FLOWER_PASSWORD", "FLOWER_BASIC_AUTH", "WEB_ADDRESS", "FLOWER_ADDRESS",
    "MINUTEBOOK_VERSION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "DJANGO_SETTINGS_MODULE", "PGPASSWORD",
})  # fmt: skip
CLOSE = 0.85


@register(Tags.database, deploy=True)
def check_servers(**_kwargs: Any) -> list[CheckMessage]:
    """The database, the broker and the cache answer, with the credentials they are asked with."""
    probes = (
        ("database", "DATABASE_URL", _ask_database),
        ("broker", "REDIS_URL", dependency_checks.check_broker),
        ("cache", "CACHE_URL", dependency_checks.check_cache),
    )
    return [
        Error(
            f"The {name} does not answer: {problem}.",
            hint=f"Look at {setting}, and whether its server runs and can be reached.",
            id="core.E018",
        )
        for name, setting, probe in probes
        if (problem := _problem_of(probe))
    ]


def _problem_of(probe: Callable[[], object]) -> str:
    try:
        probe()
    except (DatabaseError, ImproperlyConfigured, redis.RedisError, OSError, ValueError) as error:
        return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    return ""


def _ask_database() -> None:
    own: Any = connection.copy()  # a command may have a transaction open on the usual one
    with contextlib.closing(own), own.cursor() as cursor:
        cursor.execute("SELECT 1")


@register(Tags.security, deploy=True)
def check_public_url(**_kwargs: Any) -> list[CheckMessage]:
    """Links that lead nowhere, or without encryption, look like a fault of the installation."""
    parts = urlsplit(settings.PUBLIC_URL)
    if not parts.hostname or not validate_host(parts.hostname, settings.ALLOWED_HOSTS):
        hint = "Set PUBLIC_URL to the address people type, and name its host in ALLOWED_HOSTS."
        return [Error("PUBLIC_URL names no host that is allowed.", hint=hint, id="core.E016")]
    if parts.scheme != "https":
        hint = "Put a proxy that speaks HTTPS in front, and set PUBLIC_URL=https://..."
        return [checks.Warning("PUBLIC_URL is not https.", hint=hint, id="core.W005")]
    return []


@register(Tags.staticfiles, deploy=True)
def check_static_files(**_kwargs: Any) -> list[CheckMessage]:
    """Without them every staff page would be an error of ours."""
    manifest = getattr(staticfiles_storage, "manifest_name", None)
    if settings.DEBUG or manifest is None or staticfiles_storage.exists(manifest):
        return []
    hint = "Run `python manage.py collectstatic`, as a user who may write to STATIC_ROOT."
    return [Error(f"{settings.STATIC_ROOT} holds no static files.", hint=hint, id="core.E015")]


@register(Tags.security, deploy=True)
def check_debug(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    hint = "Unset DEBUG: it shows settings and code to whoever causes an error."
    return [checks.Warning("DEBUG is on.", hint=hint, id="core.W001")]


@register(Tags.database, deploy=True)
def check_broker_never_evicts(**_kwargs: Any) -> list[CheckMessage]:
    """A broker that evicts loses messages; the relay sends them again, slowly."""
    hint = "Run the server of REDIS_URL with `maxmemory-policy noeviction`."
    policy = _eviction_policy()
    if policy in ("noeviction", None):
        return []
    return [checks.Warning(f"The broker evicts ({policy}).", hint=hint, id="core.W002")]


def _eviction_policy() -> str | None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2) as broker:
            return broker.config_get("maxmemory-policy").get("maxmemory-policy")
    except (
        redis.RedisError,
        ValueError,
    ):  # no address, away, or CONFIG forbidden
        return None


@register(deploy=True)
def check_mail(**_kwargs: Any) -> list[CheckMessage]:
    """An installation may do without e-mail, and should know that it does."""
    if settings.EMAIL_BACKEND not in SILENT_MAIL:
        return []
    hint = "Set EMAIL_URL to a mail server, for example smtp+tls://user:password@host:587."
    return [checks.Warning("Nobody gets e-mail.", hint=hint, id="core.W003")]


@register()
def check_notifications(**_kwargs: Any) -> list[CheckMessage]:
    """Each kind of notification has its words."""
    return [
        Error(f"{kind.name} has no words.", hint=f"Write {kind.template}.", id="core.E011")
        for kind in kinds()
        if not _has_template(kind.template)
    ]


SILENT_MAIL = (
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
)


def _has_template(name: str) -> bool:
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return False
    return True
