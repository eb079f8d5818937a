"""The staff pages of core: Django finds this package, and this package its files."""

from core.admin import accounts, events, http, jobs, notifications, results, security

__all__ = ["accounts", "events", "http", "jobs", "notifications", "results", "security"]
