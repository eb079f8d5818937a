"""`./mb demo [FILE ...]`: recordings and a text, from upload to export, by a client of the API."""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from config import dev, devstack
from config.processes import Places

AUDIO = devstack.ROOT / "tests" / "data" / "audio"
SAMPLES = (AUDIO / "meeting_2spk_170s.ogg", AUDIO / "jfk.flac")
# A committee of the Welsh parliament about a school examination; its licence is noted beside it.
DISCUSSION = devstack.ROOT / "tests" / "data" / "qmsum" / "education_16.json"
TEAM_MEETING = devstack.ROOT / "tests" / "data" / "minutes" / "mobile-release.txt"
PROCESSES = ("web", "speech", "worker", "relay")
ORGANIZATION, EMAIL = "Demo", "demo@example.com"
KEY = re.compile(r"mb_[\w-]{8}_[\w-]{43}")
ENDED = frozenset({"succeeded", "failed", "dead", "cancelled"})
BAR_WIDTH = 30
POLL_SECONDS = 0.3
TYPES = {
    ".flac": "audio/flac", ".m4a": "audio/mp4", ".mp3": "audio/mpeg", ".mp4": "video/mp4",
    ".ogg": "audio/ogg", ".wav": "audio/wav", ".webm": "video/webm",
}  # fmt: skip


class DemoFailed(Exception):
    """The demo cannot go on. The message is for the person who ran it."""


@dataclass(frozen=True)
class Client:
    """The REST API as a client sees it: JSON in, JSON out, a key in the header."""

    port: int
    key: str = ""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | io.BufferedReader | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One request; the status and the decoded body."""
        connection = http.client.HTTPConnection(devstack.LOOPBACK, self.port, timeout=120)
        known = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            connection.request(method, path, body, known | (headers or {}))
            answer = connection.getresponse()
            return answer.status, _decoded(answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"{method} {path} got no answer: {error}") from error
        finally:
            connection.close()

    def get(self, path: str) -> dict[str, Any]:
        """A page or an object. Raises DemoFailed with the problem's sentence for anything else."""
        return _accepted(path, *self.ask("GET", path))

    def post(self, path: str, values: dict[str, Any]) -> dict[str, Any]:
        """Send an object. Raises DemoFailed with the problem's sentence if it is refused."""
        body = json.dumps(values).encode()
        answer = self.ask("POST", path, body, {"Content-Type": "application/json"})
        return _accepted(path, *answer)

    def create_meeting(self, title: str, *, starts_at: str | None = None) -> str:
        """A new meeting; returns its id. `starts_at` is what due dates are counted from."""
        return str(self.post("/api/v1/meetings/", {"title": title, "starts_at": starts_at})["id"])

    def upload(self, meeting: str, file: Path) -> dict[str, Any]:
        """Send the bytes of a file as they are; returns the recording and its job."""
        path = f"/api/v1/meetings/{meeting}/recordings/?filename={quote(file.name)}"
        headers = {
            "Content-Type": TYPES.get(file.suffix.lower(), "application/octet-stream"),
            "Content-Length": str(file.stat().st_size),
        }
        with file.open("rb") as body:
            return _accepted(path, *self.ask("POST", path, body, headers))

    def send_text(self, meeting: str, turns: list[dict[str, Any]]) -> dict[str, Any]:
        """A discussion that needs no transcription; returns the transcript."""
        body = {"language": "en", "segments": turns}
        sent = self.post(f"/api/v1/meetings/{meeting}/transcript/", body)
        return dict(sent["transcript"])

    def fetch(self, link: str, target: Path) -> int:
        """Write what a link without a key leads to into a file; how many bytes."""
        path = urlsplit(link).path
        connection = http.client.HTTPConnection(devstack.LOOPBACK, self.port, timeout=120)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != 200:
                raise DemoFailed(f"{path} answered {answer.status}")
            return target.write_bytes(answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"{path} could not be fetched: {error}") from error
        finally:
            connection.close()

    def segments(self, meeting: str) -> Iterator[dict[str, Any]]:
        """Every segment of the meeting's transcript, page after page."""
        path: str | None = f"/api/v1/meetings/{meeting}/transcript/?page_size=100"
        while path:
            page = self.get(path)["segments"]
            yield from page["results"]
            path = _path_of(page["next"])


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        found = {"detail": body[:200].decode("utf-8", "replace")}
    return found if isinstance(found, dict) else {"results": found}


def _accepted(path: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    if status >= 400:
        message = body.get("detail") or body.get("title") or "no reason given"
        raise DemoFailed(f"{path} answered {status}: {message}")
    return body


def _path_of(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


# --- The steps --------------------------------------------------------------------------------


def _new_key() -> str:
    """An API key of the demo organization, made by the command that the README names."""
    command = [sys.executable, "manage.py", "bootstrap", "--new-key"]
    command += ["--organization", ORGANIZATION, "--email", EMAIL]
    done = subprocess.run(command, cwd=devstack.ROOT, capture_output=True, text=True, check=False)
    if key := KEY.search(done.stdout):
        return key[0]
    raise DemoFailed(f"no API key could be made:\n{done.stdout}{done.stderr}")


def _wait_until_ready(runner: dev.Runner, client: Client) -> None:
    dev.wait_for_web(runner, client.port)
    _refuse_to_wait_for_nothing(runner)
    deadline = time.monotonic() + dev.READY_SECONDS
    status, body = client.ask("GET", "/api/health/ready")
    while status != 200:
        _refuse_to_wait_for_nothing(runner)
        if time.monotonic() > deadline:
            raise DemoFailed(f"the web process is not ready: {body}")
        time.sleep(POLL_SECONDS)
        status, body = client.ask("GET", "/api/health/ready")


def _follow(runner: dev.Runner, client: Client, job_id: str) -> dict[str, Any]:
    """Draw the job's progress until it has ended."""
    line = ProgressLine()
    while True:
        job = client.get(f"/api/v1/jobs/{job_id}/")
        line.draw(float(job["progress"] or 0), str(job["step"] or job["status"]))
        if job["status"] in ENDED:
            line.end()
            return job
        _refuse_to_wait_for_nothing(runner)
        time.sleep(POLL_SECONDS)


def _refuse_to_wait_for_nothing(runner: dev.Runner) -> None:
    runner.check()
    if runner.stop_asked:
        raise KeyboardInterrupt


class ProgressLine:
    """A bar redrawn in place on a terminal; a line per change of step anywhere else."""

    def __init__(self) -> None:
        self._in_place = sys.stdout.isatty()
        self._last = ""

    def draw(self, part: float, step: str) -> None:
        full = round(BAR_WIDTH * min(max(part, 0), 1))
        text = f"  [{'#' * full}{'.' * (BAR_WIDTH - full)}] {part:4.0%}  {step}"
        if self._in_place:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(f"\r{text[:width]:<{width}}")
            sys.stdout.flush()
        elif text != self._last:
            print(text, flush=True)
        self._last = text

    def end(self) -> None:
        if self._in_place:
            print()


def _print_transcript(client: Client, meeting: str) -> None:
    for segment in client.segments(meeting):
        speaker = f"{segment['speaker']}: " if segment.get("speaker") else ""
        print(f"  {_clock(segment['start_ms'])}  {speaker}{segment['text'].strip()}")


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _analyse(runner: dev.Runner, client: Client, meeting: str) -> None:
    """Ask for the analysis, or join the one at work, and show what it found."""
    asked = client.post(f"/api/v1/meetings/{meeting}/analysis/", {})
    _check_succeeded(_follow(runner, client, asked["job"]["id"]))
    _print_insight(client.get(f"/api/v1/meetings/{meeting}/analysis/"))


def _print_insight(found: dict[str, Any]) -> None:
    summary = found["summary"]
    print(f"\n  Summary\n{_wrapped(summary['text'] if summary else 'Too little was said.')}")
    _print_topics(found["topics"])
    _print_items("Decisions, perhaps", found["decisions"])
    _print_items("Action items, perhaps", found["action_items"])
    read = found["sections"][0]
    used, total = read["turns_used"], read["turns_total"]
    print(f"\n  Found by {found['analysis']['engine']} in {used} of {total} segments.")
    for message in {note["message"] for each in found["sections"] for note in each["notes"]}:
        print(f"  {message}")


def _print_topics(topics: list[dict[str, Any]]) -> None:
    print("\n  Topics")
    for topic in topics:
        start = topic["start_ms"]
        print(f"    {'*' if start is None else _clock(start)} {topic['title']}")


def _print_items(title: str, items: list[dict[str, Any]]) -> None:
    print(f"\n  {title}" + ("" if items else ": none found"))
    for item in items:
        print(_wrapped(f"* {item['text']}{_duty(item)}"))
        for words in item["evidence"]:
            print(_wrapped(f'{_place(words)}: "{words["quote"]}"', indent=8))


def _place(words: dict[str, Any]) -> str:
    """When, and by whom, as far as the text says."""
    time_said = None if words["start_ms"] is None else _clock(words["start_ms"])
    return ", ".join(filter(None, (time_said, words["speaker"]))) or "said"


def _duty(item: dict[str, Any]) -> str:
    """Who and by when, if that was said."""
    due = item.get("due_on") or item.get("due_phrase")
    known = [part for part in (item.get("owner_name"), due and f"due {due}") if part]
    return f" ({', '.join(known)})" if known else ""


def _wrapped(text: str, *, indent: int = 4) -> str:
    return textwrap.fill(
        text, 100, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)
    )


def _check_succeeded(job: dict[str, Any]) -> None:
    if job["status"] != "succeeded":
        reason = (job.get("error") or {}).get("message", "no reason given")
        raise DemoFailed(f"the job ended as {job['status']}: {reason}")


def _say(message: str) -> None:
    print(f"\n{message}", flush=True)


def _carry_through(runner: dev.Runner, places: Places, files: Sequence[Path]) -> str:
    """A recording, then a text, each to what it comes to. Returns what to do next."""
    _say("Starting web, workers and relay ...")
    anonymous = Client(places.port)
    _wait_until_ready(runner, anonymous)
    client = Client(places.port, _new_key())
    recorded = _carry_recordings(runner, client, files)
    _carry_text(runner, client)
    _carry_export(runner, client, _carry_team_meeting(runner, client))
    return _next_steps(client.key, recorded)


def _carry_recordings(runner: dev.Runner, client: Client, files: Sequence[Path]) -> str:
    """Upload the recordings of one meeting, follow, print. Returns the meeting."""
    meeting = client.create_meeting(f"Demo: {', '.join(file.name for file in files)}")
    started = time.monotonic()
    jobs = []
    for file in files:
        _say(f"Uploading {file.name} ({file.stat().st_size / 1e6:.1f} MB) to meeting {meeting} ...")
        sent_at = time.monotonic()
        jobs.append(str(client.upload(meeting, file)["job"]["id"]))
        print(f"  accepted in {time.monotonic() - sent_at:.2f} s")
    _say("Transcribing on this machine:")
    for job in jobs:
        _check_succeeded(_follow(runner, client, job))
    _say(f"The transcript, {time.monotonic() - started:.0f} s after the upload began:\n")
    _print_transcript(client, meeting)
    _say("What it comes to, found on this machine without a language model:")
    _analyse(runner, client, meeting)
    return meeting


def _carry_text(runner: dev.Runner, client: Client) -> None:
    """A real discussion that somebody has written down."""
    discussion = json.loads(DISCUSSION.read_text("utf-8"))
    meeting = client.create_meeting("Demo: a committee about a school examination")
    transcript = client.send_text(meeting, discussion["turns"])
    words = f"{transcript['word_count']:,} words"
    _say(f"A real discussion sent in as text, {words} without times, to meeting {meeting}:")
    _analyse(runner, client, meeting)


def _carry_team_meeting(runner: dev.Runner, client: Client) -> str:
    """One in which people say plainly what they decide and who does what. Returns the meeting."""
    head, _, said = TEAM_MEETING.read_text("utf-8").partition("\n\n")
    held_on = re.search(r"held_on: (\S+)", head)
    starts_at = f"{held_on[1]}T09:00:00Z" if held_on else None
    meeting = client.create_meeting("Demo: a release of a mobile application", starts_at=starts_at)
    # In brackets stands what a test expects to be found.
    lines = re.sub(r"\s*\[\[.*?\]\]", "", said).strip().splitlines()
    turns = [dict(zip(("speaker", "text"), line.split(": ", 1), strict=True)) for line in lines]
    client.send_text(meeting, turns)
    _say(f"A short meeting, made up for this, where things are said plainly, to meeting {meeting}:")
    _analyse(runner, client, meeting)
    return meeting


def _carry_export(runner: dev.Runner, client: Client, meeting: str) -> None:
    """The minutes of a meeting as a file, fetched by a link that needs no key."""
    _say("The same meeting as a PDF, made by a worker:")
    asked = client.post("/api/v1/exports/", {"meeting": meeting, "format": "pdf"})
    _check_succeeded(_follow(runner, client, asked["job"]["id"]))
    export = client.get(f"/api/v1/exports/{asked['export']['id']}/")
    target = devstack.home() / str(export["filename"])
    size = client.fetch(export["download_url"], target)
    print(f"  {size / 1000:.0f} kB, fetched by a link that ends at {export['expires_at']}.")
    print(f"  It lies in {target}")


def _next_steps(key: str, meeting: str) -> str:
    web = f"http://localhost:{dev.WEB_PORT}"
    return f"""
Where to go next. Start everything with

  ./mb dev

and, in another terminal, ask for the same again or send a recording of your own:

  export KEY={key}
  curl -H "Authorization: Bearer $KEY" {web}/api/v1/meetings/{meeting}/transcript/
  curl -H "Authorization: Bearer $KEY" {web}/api/v1/meetings/{meeting}/analysis/
  curl -H "Authorization: Bearer $KEY" "{web}/api/v1/decisions/?status=draft"
  curl -H "Authorization: Bearer $KEY" "{web}/api/v1/action-items/?open=true"
  curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
       -d '{{"meeting": "{meeting}", "format": "docx"}}' {web}/api/v1/exports/
  curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
       -d '{{"title": "My meeting"}}' {web}/api/v1/meetings/
  curl -H "Authorization: Bearer $KEY" -F file=@meeting.mp3 \\
       {web}/api/v1/meetings/ID/recordings/

The documentation is at {web}/api/docs/, the admin at {web}/admin/.
"""


# --- The command ------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run the demo. Returns 0 when everything was printed, 130 after Ctrl-C, else 1."""
    parser = argparse.ArgumentParser(prog="./mb demo", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=SAMPLES, metavar="FILE")
    files = parser.parse_args(arguments).files
    if missing := [str(file) for file in files if not file.is_file()]:
        print(f"mb: {', '.join(missing)} is not a file", file=sys.stderr)
        return 1
    found_running = [line for line in devstack.status().values() if line.startswith("running")]
    try:
        return _run(files)
    except KeyboardInterrupt:
        print("\nmb: stopped", file=sys.stderr)
        return 130
    except (DemoFailed, dev.ProcessDied, devstack.ServiceError) as error:
        print(f"\nmb: {error}\nmb: the processes' own words are in {_log()}", file=sys.stderr)
        return 1
    finally:
        if not found_running and not dev.is_running():
            devstack.down()


def _run(files: Sequence[Path]) -> int:
    _say("Starting PostgreSQL and Valkey ...")
    folder = dev.prepare()
    places = dev.chosen_places(folder)
    with (
        _log().open("w", encoding="utf-8") as log,
        dev.running(PROCESSES, places, folder, dev.Output(log)) as runner,
    ):
        advice = _carry_through(runner, places, files)
        _say("Stopping what was started ...")
    print(advice)
    return 0


def _log() -> Path:
    return devstack.home() / "demo.log"


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "INFO")
    sys.exit(main())
