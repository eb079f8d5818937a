"""Where bytes lie: a folder, or a bucket of S3 or of what speaks like it.

::

    /var/lib/minutebook/files
    s3://bucket/folder?endpoint=https://s3.example.org&region=eu-north-1&addressing=path

Who may read and write there comes from the environment, as every program of AWS reads it, or from
the role of the machine: an address is shown in more places than a secret may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

_ADDRESSING = ("auto", "path", "virtual")
_CHOICES = frozenset({"endpoint", "region", "addressing"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as its address names it; what is not named is left to AWS's own rules."""

    name: str
    folder: str = ""
    endpoint: str | None = None
    region: str | None = None
    addressing: str = "auto"


def bucket_of(url: str) -> Bucket | None:
    """The bucket that an address names, as well as it can be read; None for a folder."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        return None
    chosen = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Bucket(
        name=parts.hostname or "",
        folder=parts.path.strip("/"),
        endpoint=chosen.get("endpoint"),
        region=chosen.get("region"),
        addressing=chosen.get("addressing", "auto"),
    )


def faults_of(url: str) -> list[str]:
    """What is wrong with an address, each as a sentence; of a folder nothing but an odd scheme."""
    bucket = bucket_of(url)
    if bucket is None:
        return [f"{url} is neither a folder nor s3://."] if "://" in url else []
    parts = urlsplit(url)
    unknown = sorted(set(parse_qs(parts.query, keep_blank_values=True)) - _CHOICES)
    endpoint = urlsplit(bucket.endpoint or "https://aws")
    found = {
        "It names no bucket.": not bucket.name,
        "It holds a user or a password.": "@" in parts.netloc,
        "It holds a port: that belongs to the endpoint.": ":" in parts.netloc.rpartition("@")[2],
        "It ends in a fragment.": bool(parts.fragment),
        f"It knows no {', '.join(unknown)}.": bool(unknown),
        "Its endpoint does not begin with http:// or https:// and a host.": (
            endpoint.scheme not in ("http", "https") or not endpoint.hostname
        ),
        f"Its addressing is none of {', '.join(_ADDRESSING)}.": (
            bucket.addressing not in _ADDRESSING
        ),
    }
    return [message for message, is_so in found.items() if is_so]


def storage_at(url: str) -> dict[str, Any]:
    """Django's setting for the storage at an address, which may be faulty: checks say so."""
    bucket = bucket_of(url)
    if bucket is not None:
        return {"BACKEND": "core.files.s3.BucketStorage", "OPTIONS": {"bucket": bucket}}
    return {"BACKEND": "core.files.disk.DiskStorage", "OPTIONS": {"location": url}}
