"""`./mb lint`: everything that can be known about the code without running it. All checks run."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from config import devstack, local

OPENAPI = devstack.ROOT / "config" / "openapi.json"
MANAGE = ("python", "manage.py")


@dataclass(frozen=True, slots=True)
class Check:
    """A command that ends with 0 when all is well, and what to do when it is not."""

    name: str
    command: tuple[str, ...]
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a check ended."""

    check: Check
    passed: bool
    said: str


CHECKS = (
    Check("ruff", ("ruff", "check", "."), "./mb lint --fix repairs most of it"),
    Check("format", ("ruff", "format", "--check", "."), "./mb lint --fix"),
    Check("types", ("mypy",)),
    Check("imports", ("lint-imports", "--no-cache")),
    Check(
        "migrations",
        (*MANAGE, "makemigrations", "--check", "--dry-run"),
        "./mb manage makemigrations",
    ),
    Check("system", (*MANAGE, "check")),
    Check("openapi", ("python", "-m", "config.lint", "--openapi"), "./mb lint --fix"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the checks, or with --fix first repair what a program can. Returns 1 if any failed."""
    parser = argparse.ArgumentParser(prog="./mb lint", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="repair, then check")
    parser.add_argument("--openapi", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.openapi:
        return _compare_openapi()
    local.prepare("test")
    if chosen.fix:
        _fix()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        failed = [finding for finding in pool.map(_run, CHECKS) if not _report(finding)]
    print(f"{len(CHECKS) - len(failed)} of {len(CHECKS)} checks passed")
    return 1 if failed else 0


def _run(check: Check) -> Finding:
    done = subprocess.run(
        _command(*check.command),
        cwd=devstack.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return Finding(check, done.returncode == 0, f"{done.stdout}{done.stderr}".strip())


def _command(program: str, *words: str) -> list[str]:
    """A command of this virtual environment, whatever PATH says."""
    first = Path(sys.executable)
    return [str(first if program == "python" else first.with_name(program)), *words]


def _report(finding: Finding) -> bool:
    print(f"{finding.check.name:<12}{'ok' if finding.passed else 'FAILED'}", flush=True)
    if not finding.passed:
        print(finding.said)
        if finding.check.remedy:
            print(f"-> {finding.check.remedy}")
    return finding.passed


def _fix() -> None:
    for words in (("check", "--fix", "--quiet", "."), ("format", "--quiet", ".")):
        subprocess.run(_command("ruff", *words), cwd=devstack.ROOT, check=False)
    OPENAPI.write_text(_openapi(), "utf-8")


def _openapi() -> str:
    """The OpenAPI document the code describes now. Raises CalledProcessError if it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "openapi.json"
        options = ("--format", "openapi-json", "--validate", "--fail-on-warn")
        command = _command(*MANAGE, "spectacular", *options, "--file", str(file))
        subprocess.run(command, cwd=devstack.ROOT, check=True)
        return file.read_text("utf-8").rstrip() + "\n"


def _compare_openapi() -> int:
    try:
        now = _openapi()
    except subprocess.CalledProcessError:
        return 1
    if OPENAPI.exists() and OPENAPI.read_text("utf-8") == now:
        return 0
    print(f"{OPENAPI.relative_to(devstack.ROOT)} is not what the code describes")
    return 1


if __name__ == "__main__":
    sys.exit(main())
