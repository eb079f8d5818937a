"""`./mb judges`: programs that are not Python judge what we hand out. None is ever skipped.

A judge that is not there is installed: from Debian's packages as root or with `sudo -n`, from the
npm registry into a cache folder, and from PyPI with everything else (the `dev` group of uv.lock).
One that cannot be installed fails like one that finds something. A new judge is an entry in JUDGES.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config import devstack

INSTALL_SECONDS = 600
JUDGE_SECONDS = 900


class NotInstalled(Exception):
    """A judge cannot be had. The message says what helps."""


@dataclass(frozen=True, slots=True)
class Debian:
    """A program of a Debian package."""

    program: str
    package: str

    def install(self) -> Path:
        """The program on PATH, after apt-get where it is missing."""
        if found := shutil.which(self.program):
            return Path(found)
        if not shutil.which("apt-get"):
            raise NotInstalled(f"{self.program} is missing; install it, it is free software")
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        get = [*as_root, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
        _run([*get, "update"], INSTALL_SECONDS)
        _run([*get, "install", "--yes", "--no-install-recommends", self.package], INSTALL_SECONDS)
        if found := shutil.which(self.program):
            return Path(found)
        raise NotInstalled(f"the package {self.package} brought no {self.program}")


@dataclass(frozen=True, slots=True)
class Npm:
    """A program of one version of an npm package, kept in a folder of its own."""

    program: str
    package: str

    def install(self) -> Path:
        """The program in the cache folder, after `npm install` where it is missing."""
        folder = _cache() / re.sub(r"[^\w.-]+", "-", self.package).strip("-")
        if not folder.exists():
            npm = str(NPM.install())
            folder.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: a second run may be doing the same.
            draft = tempfile.mkdtemp(dir=folder.parent, prefix="draft-")
            options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            _run([npm, "install", "--prefix", draft, *options, self.package], INSTALL_SECONDS)
            _put(Path(draft), folder)
        return folder / "node_modules" / ".bin" / self.program


@dataclass(frozen=True, slots=True)
class Locked:
    """A program that a wheel of uv.lock brings."""

    program: str

    def install(self) -> Path:
        """It is in the virtual environment, or uv.lock has lost it."""
        found = Path(sys.executable).with_name(self.program)
        if not found.exists():
            raise NotInstalled(f"{self.program} is not in the virtual environment; is it in `dev`?")
        return found


NPM = Debian("npm", "npm")

# What a judge would send or fetch on its own account.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


@dataclass(frozen=True, slots=True)
class Judge:
    """A program, what it judges and why. In its arguments `{folder}` is what `prepare` filled.

    `weigh` tells what is wrong with what the program wrote there, nothing if it is right.
    """

    name: str
    why: str
    tool: Debian | Npm | Locked
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] | None = None
    weigh: Callable[[Path], str] | None = None


def _fill_in_env(folder: Path) -> None:
    """.env.example as an operator would fill it in."""
    example = (devstack.ROOT / ".env.example").read_text("utf-8")
    filled = re.sub(r"^(\w+)=$", lambda m: f"{m[1]}={secrets.token_hex(32)}", example, flags=re.M)
    (folder / ".env").write_text(filled, "utf-8")


def _make_files(folder: Path) -> None:
    """A meeting in nine languages, and with what nobody should write, as files."""
    _run([sys.executable, "-m", "tests.exports.judged", str(folder)], JUDGE_SECONDS)


def _compare_words(folder: Path) -> str:
    """The words of each language that did not come out of the PDF as they went in."""
    words = [sys.executable, "-m", "tests.exports.judged", "--compare", str(folder)]
    done = subprocess.run(words, cwd=devstack.ROOT, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}".strip() if done.returncode else ""


# The package has a parser and no program.
READ_CAPTIONS = """
const { WebVTTParser } = require(process.argv[2]);
const { errors, cues } = new WebVTTParser().parse(
  require("fs").readFileSync(process.argv[3], "utf8"), "captions");
for (const error of errors) console.log(JSON.stringify(error));
console.log(`${cues.length} cues, ${errors.length} errors`);
process.exit(errors.length || !cues.length ? 1 : 0);
"""


def _make_captions(folder: Path) -> None:
    _make_files(folder)
    parser = Npm("webvtt-parser", "webvtt-parser@2.2.0").install().parent.parent
    (folder / "parser").symlink_to(parser / "webvtt-parser", target_is_directory=True)
    (folder / "read.js").write_text(READ_CAPTIONS, "utf-8")


def _said_by(module: str, what: str, folder: Path) -> str:
    """What a module of the tests finds wrong with the folder, nothing if it is right."""
    words = [sys.executable, "-m", module, what, str(folder)]
    done = subprocess.run(words, cwd=devstack.ROOT, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}".strip() if done.returncode else ""


# Both libraries verify all that we sign, and sign what we are to verify. Neither knows key pairs,
# so those are verified with what Node brings.
VERIFY = """
const fs = require("fs"), crypto = require("crypto");
const folder = process.argv[2];
const libraries = ["standardwebhooks", "svix"].map((name) =>
  [name, require(`${folder}/modules/${name}`).Webhook]);
const read = JSON.parse(fs.readFileSync(`${folder}/deliveries.json`, "utf8"));
const faults = [];
const bytes = ({ body }) => Buffer.from(body, "base64");
const refuses = (webhook, body, headers) => {
  try { webhook.verify(body, headers); return false; } catch { return true; }
};
for (const [name, Webhook] of libraries) {
  const webhook = new Webhook(read.secret);
  for (const one of read.v1) {
    const text = bytes(one).toString();
    if (refuses(webhook, text, one.headers)) faults.push(`${name} refuses ${text.slice(0, 200)}`);
    if (!refuses(webhook, `${text} `, one.headers)) faults.push(`${name} takes anything`);
  }
}
const head = Buffer.from("302a300506032b6570032100", "hex");
const raw = Buffer.from(read.public.slice("whpk_".length), "base64");
const key = crypto.createPublicKey(
  { key: Buffer.concat([head, raw]), format: "der", type: "spki" });
for (const one of read.v1a) {
  const [version, signature] = one.headers["webhook-signature"].split(",");
  const said = `${one.headers["webhook-id"]}.${one.headers["webhook-timestamp"]}.`;
  const signed = Buffer.concat([Buffer.from(said), bytes(one)]);
  if (version !== "v1a" || !crypto.verify(null, signed, key, Buffer.from(signature, "base64")))
    faults.push(`ed25519 refuses ${said}`);
}
const messages = read.v1.flatMap((one, at) => libraries.map(([name, Webhook]) => {
  const id = `msg_${at}`, now = new Date(), body = bytes(one).toString();
  return [name, body, { "webhook-id": id, "webhook-timestamp": `${Math.floor(now / 1000)}`,
    "webhook-signature": new Webhook(read.secret).sign(id, now, body) }];
}));
fs.writeFileSync(`${folder}/signed.json`, JSON.stringify({ secret: read.secret, messages }));
console.log(faults.slice(0, 20).join("\\n"));
process.exit(faults.length || read.v1.length < 1000 || read.v1a.length < 100 ? 1 : 0);
"""
WEBHOOKS = "tests.webhooks.external_verifiers"
WEBHOOK_LIBRARIES = (
    Npm("standardwebhooks", "standardwebhooks@1.1.1"),
    Npm("svix", "svix@2.5.0"),
)


def _bring_libraries(folder: Path) -> None:
    """Those that receivers in Node use, as `modules`."""
    (folder / "modules").mkdir()
    for library in WEBHOOK_LIBRARIES:
        installed = library.install().parent.parent / library.program
        (folder / "modules" / library.program).symlink_to(installed, target_is_directory=True)


def _sign_deliveries(folder: Path) -> None:
    _bring_libraries(folder)
    _run([sys.executable, "-m", WEBHOOKS, "deliveries", str(folder)], JUDGE_SECONDS)
    (folder / "verify.js").write_text(VERIFY, "utf-8")


def _weigh_signed(folder: Path) -> str:
    return _said_by(WEBHOOKS, "signed", folder)


def _bring_receivers(folder: Path) -> None:
    _bring_libraries(folder)
    for tool in (Debian("node", "nodejs"), Debian("openssl", "openssl"), Debian("curl", "curl")):
        tool.install()


# Rules of the OpenAPI judge that we do not follow, and why.
NOT_OURS = {
    "no-path-trailing-slash": "our addresses end in a slash, all of them",
    "no-unused-components": "the generator writes a request twin of every component",
    "no-empty-servers": "an installation's address is its owner's",
    "info-license": "the licence is the program's; an installation's API has its owner's terms",
}

JUDGES = (
    Judge(
        "compose",
        "docker-compose.yml is understood, once .env.example is filled in",
        Debian("docker-compose", "docker-compose"),
        ("--env-file", "{folder}/.env", "--file", "docker-compose.yml", "config", "--quiet"),
        _fill_in_env,
    ),
    Judge(
        "dockerfile",
        "the Dockerfile follows the habits that keep images small and safe",
        Locked("hadolint"),
        ("--failure-threshold", "info", "Dockerfile"),
    ),
    Judge(
        "openapi",
        "other people's tools can read config/openapi.json",
        Npm("redocly", "@redocly/cli@2.77.0"),
        (
            "lint",
            "config/openapi.json",
            *(word for rule in NOT_OURS for word in ("--skip-rule", rule)),
        ),
    ),
    Judge(
        "answers",
        "schemathesis, as four kinds of client, gets no answer that config/openapi.json leaves out",
        Locked("pytest"),
        (
            "tests/architecture/conformance.py",
            "-q",
            "--ds=config.settings_test",
            "-pschemathesis.pytest.plugin",
        ),
    ),
    Judge(
        "pdf",
        "a PDF in nine languages has no fault of syntax or encoding",
        Debian("qpdf", "qpdf"),
        ("--check", "{folder}/judged.pdf"),
        _make_files,
    ),
    Judge(
        "words",
        "what was said can be copied out of a PDF as it went in",
        Debian("pdftotext", "poppler-utils"),
        ("{folder}/judged.pdf", "{folder}/judged.txt"),
        _make_files,
        _compare_words,
    ),
    Judge(
        "captions",
        "the reference parser of WebVTT finds nothing wrong with captions in nine languages",
        Debian("node", "nodejs"),
        ("{folder}/read.js", "{folder}/parser/parser.js", "{folder}/judged.vtt"),
        _make_captions,
    ),
    Judge(
        "webhooks",
        "the npm packages standardwebhooks and svix verify what we sign, and we what they sign",
        Debian("node", "nodejs"),
        ("{folder}/verify.js", "{folder}"),
        _sign_deliveries,
        _weigh_signed,
    ),
    Judge(
        "receivers",
        "the receivers and senders of the page for receivers work, in Node and with openssl",
        Locked("python"),
        ("-m", WEBHOOKS, "receivers", "{folder}"),
        _bring_receivers,
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one judge ended."""

    judge: Judge
    passed: bool
    said: str


def main(arguments: list[str] | None = None) -> int:
    """Hear the named judges, or all. Returns 1 if any found something or could not be had."""
    parser = argparse.ArgumentParser(prog="./mb judges", description=__doc__)
    names = [judge.name for judge in JUDGES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    chosen = parser.parse_args(arguments).names or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"there is no judge {', '.join(unknown)}")
    heard = [hear(judge) for judge in JUDGES if judge.name in chosen]
    agreeing = sum(verdict.passed for verdict in heard)
    print(f"{agreeing} of {len(heard)} judges agree")
    return 0 if agreeing == len(heard) else 1


def hear(judge: Judge) -> Verdict:
    """Install the judge if need be, let it judge, and print what it found."""
    try:
        verdict = _judge(judge)
    except (NotInstalled, OSError, subprocess.TimeoutExpired) as error:
        verdict = Verdict(judge, passed=False, said=str(error))
    print(f"{judge.name:<12}{'ok' if verdict.passed else 'FAILED'}", flush=True)
    if not verdict.passed:
        print(f"{verdict.said}\n-> {judge.why}")
    return verdict


def _judge(judge: Judge) -> Verdict:
    program = judge.tool.install()
    with tempfile.TemporaryDirectory(prefix="mb-judge-") as name:
        folder = Path(name)
        if judge.prepare is not None:
            judge.prepare(folder)
        words = [word.replace("{folder}", name) for word in judge.arguments]
        done = subprocess.run(
            [program, *words],
            cwd=devstack.ROOT,
            env=os.environ | QUIET,
            capture_output=True,
            text=True,
            timeout=JUDGE_SECONDS,
            check=False,
        )
        said = f"{done.stdout}{done.stderr}".strip()
        if done.returncode == 0 and judge.weigh is not None:
            wrong = judge.weigh(folder)
            return Verdict(judge, passed=not wrong, said=wrong)
    return Verdict(judge, passed=done.returncode == 0, said=said)


def _run(command: list[str], seconds: float) -> None:
    """A step of an installation. Raises NotInstalled with the last lines of what it said."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode:
        said = "\n".join(f"{done.stdout}{done.stderr}".strip().splitlines()[-10:])
        raise NotInstalled(f"this failed: {' '.join(command)}\n{said}")


def _put(draft: Path, folder: Path) -> None:
    """Give a finished folder its name, unless another run was faster."""
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft)


def _cache() -> Path:
    """Where what npm brings is kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "minutebook" / "judges"


if __name__ == "__main__":
    sys.exit(main())
