"""The documentation page, and its code examples."""

from __future__ import annotations

import html
import re

from django.test import RequestFactory

from webhooks.pages.receivers import receivers

BLOCK = re.compile(r'<pre tabindex="0"><code id="([\w-]+)">(.*?)</code></pre>', re.S)


def page() -> str:
    """The page as it is served. Needs no database."""
    return receivers(RequestFactory().get("/api/docs/webhooks/")).content.decode()


def examples() -> dict[str, str]:
    """The code blocks that have a name."""
    return {name: html.unescape(code) for name, code in BLOCK.findall(page())}
