"""Gathers the models of the packages below for Django."""

from __future__ import annotations

from core.accounts.models import ApiKey, Invitation, Membership, Organization, Role, Team, User
from core.events.models import Event
from core.files.models import PendingFile, StorageMarker, StoredFile
from core.http.models import IdempotencyKey
from core.jobs.models import DeadLetter, Job, JobAttempt, JobStep, PeriodicRun
from core.notifications.models import Notification, NotificationPreference
from core.security.models import SecurityEvent

__all__ = [
    "ApiKey",
    "DeadLetter",
    "Event",
    "IdempotencyKey",
    "Invitation",
    "Job",
    "JobAttempt",
    "JobStep",
    "Membership",
    "Notification",
    "NotificationPreference",
    "Organization",
    "PendingFile",
    "PeriodicRun",
    "Role",
    "SecurityEvent",
    "StorageMarker",
    "StoredFile",
    "Team",
    "User",
]
