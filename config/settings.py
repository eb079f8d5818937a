"""Every setting, read from the environment.

Each name is listed with its meaning in config/deploy/README.md; a test compares the two. Tables
that describe behaviour (queues, limits, policies) live beside their code, not here.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from config.environment import Environment
from core.files.storage_url import storage_at

ROOT = Path(__file__).resolve().parent.parent

env = Environment()
# `./mb` has none: the `.env` of containers names servers and hosts that only they know.
ENV_FILE = Path(env.str("ENV_FILE", default=str(ROOT / ".env")))
if ENV_FILE.is_file():
    env.read_file(ENV_FILE)

# --- Who we are -------------------------------------------------------------------------------
PROCESS = env.str("PROCESS", default="")  # "web" in the process that config/wsgi.py starts
DEBUG = env.bool("DEBUG", default=False)
# Django answers an empty one with a traceback; core.E001 explains this one.
SECRET_KEY = env.str("SECRET_KEY", default="") or "missing"
SECRET_KEYS = env.str("SECRET_KEYS", default="")  # of values at rest: core/secrets/keyring.py
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config.apps.StaffConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_results",
    "core",
    "billing",
    "webhooks",
    "meetings",
    "exports",
]

MIDDLEWARE = [
    "core.monitoring.middleware.RequestLog",
    "core.security.middleware.SecurityEvents",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database ---------------------------------------------------------------------------------
# Persistent connections by default. DATABASE_POOL="10,100" gives the web process a pool instead;
# Celery's prefork workers must not use one (they would rebuild it around every task), so the
# setting may be the same everywhere: only config/wsgi.py calls its process "web".
DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASE_POOL = env.list("DATABASE_POOL", cast=int, default=[]) if PROCESS == "web" else []
DATABASE_CONNECT_TIMEOUT_SECONDS = env.int("DATABASE_CONNECT_TIMEOUT_SECONDS", default=10)
DATABASE_CONNECT_ATTEMPTS = env.int("DATABASE_CONNECT_ATTEMPTS", default=3)
DATABASE_STATEMENT_TIMEOUT_SECONDS = env.int("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=30)
# Both must be off behind a transaction-mode pgbouncer that does not know prepared statements.
DATABASE_SERVER_SIDE_BINDING = env.bool("DATABASE_SERVER_SIDE_BINDING", default=True)
DATABASE_PREPARED_STATEMENTS = env.bool("DATABASE_PREPARED_STATEMENTS", default=True)

DATABASES = {
    "default": {
        **env.parts_of_url(
            "DATABASE_URL",
            env.db_url_config,
            DATABASE_URL or "postgresql://",
            otherwise="postgresql://",
        ),
        "ENGINE": "core.db.postgresql",
        "CONN_MAX_AGE": 0 if DATABASE_POOL else None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS,
            "connect_attempts": DATABASE_CONNECT_ATTEMPTS,
            "options": (
                f"-c statement_timeout={DATABASE_STATEMENT_TIMEOUT_SECONDS}s"
                # A frozen process loses its rows before others give up waiting for them. Our own
                # longest pause between two statements is 3 s: the largest transcript that is
                # accepted, on a machine with six times more work than processors.
                " -c idle_in_transaction_session_timeout="
                f"{500 * DATABASE_STATEMENT_TIMEOUT_SECONDS}ms"
                # A process that died while it waited leaves the queue for the row.
                " -c client_connection_check_interval=5s"
            ),
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "server_side_binding": DATABASE_SERVER_SIDE_BINDING,
            # 5 uses before preparing; 0 would refuse every multi-statement execute.
            "prepare_threshold": 5 if DATABASE_PREPARED_STATEMENTS else None,
            **(
                {
                    "pool": {
                        "min_size": DATABASE_POOL[0],
                        "max_size": DATABASE_POOL[-1],
                        "timeout": 30,
                    }
                }
                if DATABASE_POOL
                else {}
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: the broker must never evict, a cache must ------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
CACHE_URL = env.str("CACHE_URL", default="")

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
            "IGNORE_EXCEPTIONS": True,
        },
        "KEY_PREFIX": "mb",
    }
}

# --- Background work --------------------------------------------------------------------------
# Read by config/celery.py under the CELERY_ prefix. The job row is the truth, the message a
# hint: early acknowledgement, no retries, no countdowns, no results unless a task asks for one.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker outlives its servers
# Also what a broker answers that is full, a replica or without its disk: it will recover.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    # A worker's socket waits for messages; a web request must not wait for a broker that hangs.
    "socket_timeout": 1 if PROCESS == "web" else 5,
    "health_check_interval": 10,
}
CELERY_RESULT_BACKEND = "core.jobs.results.ResultBackend"
CELERY_TASK_IGNORE_RESULT = True
# django-celery-results holds only what left a task as an error, which no job's function does.
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = True
CELERY_RESULT_EXTENDED = True  # with the task's name and the job's id
CELERY_RESULT_EXPIRES = 30 * 24 * 3600
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = ("core.jobs.policies.route",)
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True  # take a message only when a process is free to do it
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Three messages for every task: half of what a worker's main process does. Flower asks for them.
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = env.int("WORKER_MAX_TASKS_PER_CHILD", default=200)
CELERY_DB_REUSE_MAX = 1_000_000  # with CONN_MAX_AGE=None: keep the connection between tasks
CELERY_TIMEZONE = "UTC"

JOB_LEASE_SECONDS = env.float("JOB_LEASE_SECONDS", default=30.0)
JOB_WINDOW = env.int("JOB_WINDOW", default=64)
JOB_WINDOW_PER_ORGANIZATION = env.int("JOB_WINDOW_PER_ORGANIZATION", default=16)
JOB_RUNNING_PER_ORGANIZATION = env.dict(
    "JOB_RUNNING_PER_ORGANIZATION", cast={"value": int}, default={}
)
JOB_HISTORY_DAYS = env.int("JOB_HISTORY_DAYS", default=30)
JOB_DEAD_DAYS = env.int("JOB_DEAD_DAYS", default=180)
RELAY_PERIOD_SECONDS = env.float("RELAY_PERIOD_SECONDS", default=1.0)
CLOCK_PERIOD_SECONDS = env.float("CLOCK_PERIOD_SECONDS", default=60.0)
# The relay asks for work that is due by the clock; so does beat, where it runs. What is due the
# database knows (core/jobs/periodic.py). No `expires`: each worker would judge it by its own clock.
CELERY_BEAT_SCHEDULE = {
    "clock": {
        "task": "core.tick",
        "schedule": CLOCK_PERIOD_SECONDS,
        "options": {"queue": "default"},
    }
}
SHUTDOWN_GRACE_SECONDS = env.float("SHUTDOWN_GRACE_SECONDS", default=60.0)

# --- Files ------------------------------------------------------------------------------------
STORAGE_URL = env.str("STORAGE_URL", default=str(ROOT / ".local" / "files"))
PENDING_FILE_SECONDS = env.float("PENDING_FILE_SECONDS", default=300.0)
UPLOAD_FOLDER = env.str("UPLOAD_FOLDER", default="")
RECORDING_MAX_BYTES = env.int("RECORDING_MAX_BYTES", default=2 * 1024**3)
UPLOADS_AT_ONCE = env.int("UPLOADS_AT_ONCE", default=64)
RECORDING_MAX_HOURS = env.float("RECORDING_MAX_HOURS", default=12.0)

# --- Notifications ----------------------------------------------------------------------------
NOTIFICATION_KEEP_DAYS = env.float("NOTIFICATION_KEEP_DAYS", default=90.0)

# --- Exports ----------------------------------------------------------------------------------
EXPORT_KEEP_DAYS = env.float("EXPORT_KEEP_DAYS", default=7.0)
SIGNED_URL_TTL_SECONDS = env.int("SIGNED_URL_TTL_SECONDS", default=3600)

# --- The way out ------------------------------------------------------------------------------
# Of whatever URL a customer can give: core/outbound. Both are for operators only.
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", default=DEBUG)
SSRF_ALLOW_CIDRS = env.list("SSRF_ALLOW_CIDRS", default=[])

# --- Webhooks ---------------------------------------------------------------------------------
WEBHOOK_ENDPOINTS_PER_ORGANIZATION = env.int("WEBHOOK_ENDPOINTS_PER_ORGANIZATION", default=50)
WEBHOOK_HISTORY_DAYS = env.int("WEBHOOK_HISTORY_DAYS", default=30)
WEBHOOK_SECRET_OVERLAP_SECONDS = env.int("WEBHOOK_SECRET_OVERLAP_SECONDS", default=86_400)
INBOUND_MAX_BYTES = env.int("INBOUND_MAX_BYTES", default=1024**2)
INBOUND_MESSAGES_PER_MINUTE = env.int("INBOUND_MESSAGES_PER_MINUTE", default=600)
INBOUND_SOURCES_PER_ORGANIZATION = env.int("INBOUND_SOURCES_PER_ORGANIZATION", default=50)
WEBHOOK_DEADLINE_SECONDS = env.float("WEBHOOK_DEADLINE_SECONDS", default=10.0)
# Seconds from each attempt to the next one: one attempt more than there are numbers.
WEBHOOK_RETRY_SCHEDULE = env.list(
    "WEBHOOK_RETRY_SCHEDULE", cast=float, default=[5, 300, 1800, 7200, 18_000, 36_000, 36_000]
)
ENDPOINT_DISABLE_AFTER_SECONDS = env.float("ENDPOINT_DISABLE_AFTER_SECONDS", default=5 * 86_400.0)
WEBHOOK_BREAKER_FAILURES = env.int("WEBHOOK_BREAKER_FAILURES", default=5)
WEBHOOK_BREAKER_SECONDS = env.float("WEBHOOK_BREAKER_SECONDS", default=30.0)
WEBHOOK_LANE_LIMIT = env.int("WEBHOOK_LANE_LIMIT", default=64)
WEBHOOK_IN_FLIGHT = env.int("WEBHOOK_IN_FLIGHT", default=256)
WEBHOOK_SENDERS = env.int("WEBHOOK_SENDERS", default=2)
WEBHOOK_SENDER_IDLE_SECONDS = env.float("WEBHOOK_SENDER_IDLE_SECONDS", default=2.0)

# --- Speech -----------------------------------------------------------------------------------
ASR_MODEL_DIR = env.str("ASR_MODEL_DIR", default="")
ASR_THREADS = env.int("ASR_THREADS", default=1)

# --- HTTP -------------------------------------------------------------------------------------
JSON_MAX_BYTES = env.int("JSON_MAX_BYTES", default=1024**2)
JSON_MAX_DEPTH = env.int("JSON_MAX_DEPTH", default=32)
TRANSCRIPT_MAX_BYTES = env.int("TRANSCRIPT_MAX_BYTES", default=8 * 1024**2)
# A client that falls behind these while it sends a body or reads an answer is cut off.
TRANSFER_GRACE_SECONDS = env.float("TRANSFER_GRACE_SECONDS", default=20.0)
TRANSFER_MIN_BYTES_PER_SECOND = env.int("TRANSFER_MIN_BYTES_PER_SECOND", default=16 * 1024)
# Django's own limit, for whatever reads a body: the views have narrower ones.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(JSON_MAX_BYTES, TRANSCRIPT_MAX_BYTES)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "core.accounts.authentication.ApiKeyAuthentication",
        "core.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["core.accounts.permissions.HasActor"],
    "DEFAULT_PARSER_CLASSES": ["core.http.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.http.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "core.http.pagination.CursorPages",
    "PAGE_SIZE": 20,
    "DEFAULT_FILTER_BACKENDS": ["core.http.filters.StrictFilters"],
    "DEFAULT_SCHEMA_CLASS": "core.http.schema.Schema",
    "EXCEPTION_HANDLER": "core.http.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Minutebook",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",  # 3.0 cannot say that a named shape may be null
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api_description.introduce_and_group",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AnalysisStatus": "meetings.models.AnalysisStatus",
        "ChosenItemStatus": "meetings.models.item.CHOSEN",
        "DeliveryStatus": "webhooks.models.DeliveryStatus",
        "ReplayableDeliveryStatus": "webhooks.models.delivery.REPLAYABLE",
        "HealthStatus": "core.api.health.STATUSES",
        "ItemStatus": "meetings.models.ItemStatus",
        "JobStatus": "core.jobs.models.JobStatus",
        "MeetingStatus": "meetings.models.MeetingStatus",
        "SingleFormat": "exports.api.serializers.SINGLE_FORMATS",
        "ParticipantRole": "meetings.models.ParticipantRole",
        "RoleEnum": "core.accounts.models.Role",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    # Closed groups, and no list of shapes: a hundred open operations take seconds to draw.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "none",
        "defaultModelsExpandDepth": -1,
        "filter": True,
    },
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- E-mail -----------------------------------------------------------------------------------
# Without an address of a mail server, letters are shown on a laptop and thrown away elsewhere.
EMAIL_URL = env.str("EMAIL_URL", default="consolemail://" if DEBUG else "dummymail://")
vars().update(
    env.parts_of_url("EMAIL_URL", env.email_url_config, EMAIL_URL, otherwise="dummymail://")
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str(
    "EMAIL_FROM", default="Minutebook <minutebook@localhost>"
)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")

# --- People -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "core.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
INVITATION_VALID_SECONDS = int(timedelta(days=7).total_seconds())
SESSION_ENGINE = "core.accounts.sessions"
# Behind a proxy that speaks HTTPS: the header in which it says so, and what browsers are told.
PROXY_SSL_HEADER = env.str("PROXY_SSL_HEADER", default="")
SECURE_PROXY_SSL_HEADER = (
    (f"HTTP_{PROXY_SSL_HEADER.upper().replace('-', '_')}", "https") if PROXY_SSL_HEADER else None
)
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=False)
SECURE_REDIRECT_EXEMPT = [r"^api/health/"]  # asked for on the machine itself, without the proxy
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
# Whether other hosts of the domain speak HTTPS only is for their owner to know.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("COOKIES_SECURE", default=not DEBUG)

# --- Language, time, static files --------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
STATIC_URL = "/static/"
# What a page about an error must not show, beside what Django hides by itself.
DEFAULT_EXCEPTION_REPORTER_FILTER = "core.monitoring.reports.SettingsFilter"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(ROOT / "static"))

STORAGES: dict[str, dict[str, Any]] = {
    "default": storage_at(STORAGE_URL),
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

# --- Logs -------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="json")
LOGGING_CONFIG = "core.monitoring.logs.configure"
LOGGING = {"level": LOG_LEVEL, "format": LOG_FORMAT}

# --- What core/checks.py says about the names and values above ----------------------------------
SETTING_FAULTS = env.faults
SETTING_NAMES = env.known
ENV_FILE_NAMES = env.file_names
