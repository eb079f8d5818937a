#!/usr/bin/env python3
"""Django's command line. `./mb manage` calls it with the local services running."""

from __future__ import annotations

import os
import sys

from config.command_line import run_command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    run_command(sys.argv)
