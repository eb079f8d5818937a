"""What Django's page about an error shows to a developer."""

from __future__ import annotations

import re

from django.views.debug import SafeExceptionReporterFilter


class SettingsFilter(SafeExceptionReporterFilter):
    """Hides the addresses of servers too: they carry passwords, and such pages get shared."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|URL|LOCATION|DATABASES", re.I
    )
