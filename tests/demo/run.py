# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: a bad night in four services of a local cloud, the plan, the run, once more, and what the cloud saw.

Exits with 0 only when the cloud saw every task that a retry can heal retried exactly once, and nothing else sent.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
# The playbook fails at the end when tasks failed again: in the demo they do.
_FAILED_AT_THE_END = 2
# The callback shows the first change in this way: what comes before it is the plan.
_WORK = "  [changed]"
# The whole of a plan, or of a run, in one line.
_GIST = re.compile(r"\d+ (of \d+ )?failed.* tasks? ")
_REPORTS = {"html": "report.html", "markdown": "report.md", "json": "report.json"}
_WIDTH = 118
_FOREIGN = re.compile(r"ALIBABA|ALICLOUD|TENCENTCLOUD|OS_|HUAWEICLOUD|GEELARK|.*_PROXY$", re.IGNORECASE)


@dataclass(frozen=True)
class Words:
    """How the local cloud tells of a service's tasks.

    :ivar well: statuses of tasks that need nothing
    :ivar healable: is found in what is told of those that a retry can heal; the others must be left alone
    :ivar why: the names of what tells why a task stands still
    """

    well: frozenset[object]
    healable: re.Pattern[str]
    why: tuple[str, ...]
    id: str = "id"
    status: str = "status"


_SERVICES = {
    "sls": Words(
        well=frozenset({"success"}),
        healable=re.compile("InternalServerError|ODPSError|Mystery"),
        why=("taskCode",),
        status="taskStatus",
    ),
    "cls": Words(
        well=frozenset({"success"}),
        healable=re.compile("SlowDown|超时"),
        why=("Message",),
        id="TaskId",
        status="Status",
    ),
    "drs": Words(
        well=frozenset({"INCRE_TRANSFER_STARTED"}),
        healable=re.compile("link failure|PAUSING"),
        why=("error_message", "status"),
    ),
    "geelark": Words(well=frozenset({3}), healable=re.compile("20100|20002"), why=("failCode",)),
}


@dataclass(frozen=True)
class Task:
    """A task as the local cloud tells of it."""

    id: str
    service: str
    well: bool
    healable: bool
    retries: int

    @classmethod
    def of(cls, shown: dict[str, Any]) -> Task:
        words = _SERVICES[shown["service"]]
        return cls(
            id=shown[words.id],
            service=shown["service"],
            well=shown[words.status] in words.well,
            healable=bool(words.healable.search(" ".join(str(shown.get(name)) for name in words.why))),
            retries=shown["retries"],
        )


def main() -> int:
    # Both, since a shell lets what it runs in the background ignore SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    started = time.monotonic()
    folder = TESTS.parent / os.environ.get("BUILD", "build") / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "targets.yml", folder)
    try:
        with local_cloud() as url:
            tell(url, folder)
    except Wrong as exc:
        print(f"\nThe demo failed: {exc}.", file=sys.stderr)
        return 1
    finally:
        # Also what was being started when a signal came, so that nobody holds it yet.
        end(*psutil.Process().children())
    print("\nThe reports of the run:", *(folder / name for name in _REPORTS.values()), sep="\n    ")
    print(f"{time.monotonic() - started:.0f} s in all.")
    return 0


class Wrong(Exception):  # noqa: N818 - it says what is wrong
    """The demo did not show what it promises."""


def tell(url: str, folder: Path) -> None:
    """The whole story; raises Wrong where it does not go as promised."""
    before = tasks(url)
    heading("A bad night")
    number = Counter(task.service for task in before if not task.well)
    print(f"{number.total()} background tasks in four services have failed or were stopped:")
    print(", ".join(f"{number[service]} in {service.upper()}" for service in _SERVICES) + ".")
    print(f"The cloud is a local one, at {url}.")
    heading("First the plan: it sends nothing but reads")
    expect(0, play(url, folder, "plan"))
    if tasks(url) != before:
        raise Wrong("planning changed something")
    heading("Now for real (the plan, which is the same, is left out)")
    reports = [part for form, name in _REPORTS.items() for part in ("-e", f"report_{form}={name}")]
    expect(_FAILED_AT_THE_END, play(url, folder, "remediate", *reports, show=after_the_plan()))
    done = tasks(url)
    heading("Once more: nothing is left that a retry could heal (the first line of plan and run)")
    expect(0, play(url, folder, "remediate", show=_GIST.match))
    if [task.retries for task in tasks(url)] != [task.retries for task in done]:
        raise Wrong("the second run retried something")
    heading("What the cloud saw")
    testify(before, done, ask(url, "summary"))


def expect(code: int, ended: int) -> None:
    """Raise Wrong when the playbook ended with another code."""
    if ended != code:
        raise Wrong(f"the playbook ended with {ended}, and not with {code}")


def testify(before: list[Task], after: list[Task], seen: dict[str, Any]) -> None:
    """Print what the cloud itself says; raises Wrong where that is not what was promised."""
    now = {task.id: task for task in after}
    healable = [now[task.id] for task in before if task.healable]
    others = [now[task.id] for task in before if not task.healable]
    once = sum(task.retries == 1 for task in healable)
    touched = sum(task.retries > 0 for task in others)
    healed = sum(task.well for task in healable)
    print(f"{sum(seen['requests'].values())} requests, of which it refused {seen['throttled']} for coming too fast.")
    print(f"{len(healable)} tasks that a retry can heal: {once} retried exactly once.")
    print(f"{healed} of them healed, {len(healable) - healed} failed again, for a reason that a person must remove.")
    print(f"{len(others)} other tasks: {touched} retried.")
    print(f"{len(seen['violations'])} retries of tasks that were not failed.")
    if once != len(healable):
        raise Wrong("not every task that a retry can heal was retried exactly once")
    if touched or seen["violations"]:
        raise Wrong("something was retried that should have been left alone")


def after_the_plan() -> Callable[[str], object]:
    """Tells of each line whether the work has begun by then."""
    begun = []

    def has_begun(line: str) -> bool:
        if line.startswith(_WORK):
            begun.append(line)
        return bool(begun)

    return has_begun


def play(url: str, folder: Path, playbook: str, *options: str, show: Callable[[str], object] = bool) -> int:
    """Run a playbook as a user would and print the lines that are to be shown; its exit code."""
    command = ["ansible-playbook", f"redrive.tasks.{playbook}", "-e", "@targets.yml", *options]
    print(wrapped(f"$ {' '.join(command)}"), flush=True)
    more = ["-e", json.dumps({"demo_endpoint": url})]
    environ = {
        **{name: value for name, value in os.environ.items() if not _FOREIGN.match(name)},
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "demoAccessKeyId",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "demoAccessKeySecret",
        "TENCENTCLOUD_SECRET_ID": "demoSecretId",
        "TENCENTCLOUD_SECRET_KEY": "demoSecretKey",
        "OS_AUTH_URL": f"{url}/v3",
        "OS_USERNAME": "demoUser",
        "OS_PASSWORD": "demoPassword",
        "OS_USER_DOMAIN_NAME": "demoDomain",
        "OS_PROJECT_NAME": "eu-de",
        "GEELARK_TOKEN": "demoBearerToken0123456789",
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_STDOUT_CALLBACK": "plain",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
    program = Path(sys.executable).with_name(command[0])
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [program, *command[1:], *more], cwd=folder, env=environ, text=True, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                if show(line):
                    print(wrapped(line), flush=True)
            code = process.wait()
        finally:
            end(*own(process))
        # What Ansible complains of on stderr when tasks failed, the play has said already.
        if code not in (0, _FAILED_AT_THE_END):
            errors.seek(0)
            sys.stderr.write(errors.read())
    return code


def wrapped(line: str) -> str:
    """The line as several that are not too long, the later ones indented."""
    indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
    return textwrap.fill(line.rstrip(), _WIDTH, subsequent_indent=indent, break_on_hyphens=False)


@contextmanager
def local_cloud() -> Iterator[str]:
    """The cloud as a process of its own; its URL. It ends with this one, however this one ends."""
    command = [sys.executable, "-m", "local_cloud", "--scenario", str(HERE / "incident.yml"), "--max-seconds", "300"]
    environ = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as process:
        try:
            ready = process.stdout.readline() if process.stdout else b""
            if not ready:
                raise SystemExit("The local cloud did not start: see above.")
            yield json.loads(ready)["url"]
        finally:
            end(*own(process))


def own(process: subprocess.Popen[Any]) -> Iterator[psutil.Process]:
    """The process as psutil knows it, unless it has ended."""
    if process.poll() is None:
        yield psutil.Process(process.pid)


def end(*parents: psutil.Process) -> None:
    """Have these processes gone with all that they started, also while this one is being interrupted."""
    # Stopped first, so that none of them starts another one meanwhile; on the signal they go on, and end.
    family = [member for parent in parents for member in stopped(parent)]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
            member.resume()
    for member in psutil.wait_procs(family, timeout=10)[1]:
        with suppress(psutil.NoSuchProcess):
            member.kill()


def stopped(parent: psutil.Process) -> Iterator[psutil.Process]:
    """The process and all that it started, each stopped before it is asked for its children."""
    with suppress(psutil.NoSuchProcess):
        parent.suspend()
        yield parent
        for child in parent.children():
            yield from stopped(child)


def tasks(url: str) -> list[Task]:
    """All tasks of the cloud."""
    return [Task.of(shown) for shown in ask(url, "tasks")]


def ask(url: str, what: str) -> Any:
    """What the cloud's control API says."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/_cloud/{what}", timeout=10) as reply:
        return json.load(reply)


def heading(text: str) -> None:
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"\n{bold}== {text}{plain}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
