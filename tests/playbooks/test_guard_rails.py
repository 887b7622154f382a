# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps retries from being sent: caps, one task first, windows, freeze dates, a person who says no."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import running
from local_cloud.testing import LocalCloud
from unit import documents

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
QUOTA: dict[str, Any] = {"code": "Mystery", "message": "Partition {n} is full."}
ROLE: dict[str, Any] = {"code": "UnAuthorized", "message": "The role may not write."}
PATIENCE = 120  # seconds until a playbook surely has ended on a busy machine
AGAIN = 10  # seconds until an answer surely was taken, if it is taken at all
# Makes the terminal on its standard input that of the command, as a login does: only such a one is asked.
_AT_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


def test_caps_hold_a_target_or_all(cloud: LocalCloud, playbook: Any) -> None:
    many, share, fine = (cloud.world.add_shipper(name, "orders", "to-oss") for name in ("many", "share", "fine"))
    many.add_tasks(count=40, status="success")
    many.add_tasks(count=6, **OSS)
    share.add_tasks(count=1, status="success")
    share.add_tasks(count=3, **OSS)
    fine.add_tasks(count=20, status="success")
    retried = fine.add_tasks(count=4, **OSS)
    fine.add_tasks(count=1, **ROLE)
    targets = [playbook.target(name) for name in ("many", "share", "fine")]

    total = playbook(*targets, book="plan", plan_max_total="12", report_fail_on=["left"])
    assert total.code == 2
    assert cloud.changes() == []
    assert total.failures == ["sls fine: of 5 tasks 1 left for a person"]
    said = "13 tasks of all targets would be retried, but plan_max_total allows 12, so nothing was retried."
    assert [target["held"].startswith(said) for target in total.result["targets"]] == [True] * 3
    assert (total.totals["held"], total.totals["retry"]) == (13, 0)

    capped = playbook(*targets, plan_max_tasks="5", plan_max_percent="50", plan_max_total=4)
    assert capped.code == 2
    tasks, percent = capped.failures
    assert tasks.startswith("sls many: 6 tasks would be retried, but max_tasks allows 5, so nothing was retried.")
    assert percent.startswith("sls share: 3 of 4 tasks would be retried, which is more than the 50 percent")
    assert cloud.executed() == Counter(retried)
    assert (capped.totals["held"], capped.totals["retry"], capped.totals["recovered"]) == (9, 4, 4)
    assert [target["counts"]["selected"] for target in capped.result["targets"]] == [6, 3, 5]


def unlike(text: str) -> list[str]:
    """The lines without what differs from run to run: times, and where it was written."""
    return [re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z( \(in [^)]*\))?", "T", line) for line in text.splitlines()]


def test_one_task_of_each_cause_goes_first_and_previews_take_it_for_healed(cloud: LocalCloud, playbook: Any) -> None:
    """`nightly` tries one first; a dry run by variable is check mode in all that it says."""
    shipper = cloud.world.add_shipper("shop", "orders", "to-oss")
    heals = shipper.add_tasks(count=5, age="20m", **OSS)
    again = shipper.add_tasks(count=4, age={"from": "40m", "to": "30m"}, then="fail", **QUOTA)
    alone = shipper.add_tasks(count=1, age="10m", code="Other", message="Alone.")
    targets = [playbook.target("shop")]
    check = playbook(*targets, book="nightly", options=("--check",))
    dry = playbook(*targets, book="nightly", remediate_dry_run=True)
    assert check.code == dry.code == 0, check.output + dry.output
    assert cloud.changes() == []
    assert check.changed == dry.changed == 1
    assert check.decisions() == dry.decisions()
    assert check.result["files"] == dry.result["files"]
    assert Path(dry.result["files"]["json"]).name == "report.preview.json"
    assert unlike(check.report) == unlike(dry.report)
    assert unlike(check.summary) == unlike(dry.summary)
    assert check.totals == dry.totals
    assert check.totals["retry"] == 10

    real = playbook(*targets, book="nightly")
    assert real.code == 2
    assert real.failures == ["sls shop: of 10 tasks 1 failed again"]
    assert cloud.executed() == Counter([*heals, again[0], *alone])
    reasons = {one: reason for one, action, reason in real.decisions() if action == "skip"}
    told = f"left alone: the task of this cause that was tried first ({again[0]}) failed again"
    assert reasons == dict.fromkeys(again[1:], told)
    (counts,) = real.counts
    assert counts["retry"] == counts["accepted"] == 7
    assert (counts["recovered"], counts["failed_again"], counts["skip"]) == (6, 1, 3)
    assert "7 of 10 failed tasks retried: 6 recovered, 1 failed again, 0 not seen to end." in real.summary
    assert re.search(
        rf"3 left alone, 1 failed again: Mystery: Partition.*\n +Why: {re.escape(told[12:])}\n", real.summary
    )


def test_outside_the_window_and_on_frozen_days_nothing_is_sent_and_that_is_no_failure(
    cloud: LocalCloud, playbook: Any
) -> None:
    cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=3, **OSS)
    now = datetime.now(timezone.utc)
    later = {"from": f"{now + timedelta(hours=3):%H:%M}", "to": f"{now + timedelta(hours=4):%H:%M}"}
    frozen = f"{now - timedelta(days=1):%Y-%m-%d}/{now + timedelta(days=1):%Y-%m-%d}"
    window = playbook(playbook.target("shop"), remediate_window=[later])
    freeze = playbook(playbook.target("shop"), options=("--check",), remediate_freeze=[frozen])
    for played, why in ((window, "outside the maintenance window"), (freeze, "on which nothing is changed")):
        assert played.code == 0, played.output
        assert played.changed == 0
        assert played.failures == []
        for text in (played.document["held"], played.report.replace("\\_", "_"), played.summary):
            assert re.search(f"Nothing was retried, because it is .*{why}", text)
        assert (played.totals["held"], played.totals["retry"]) == (3, 0)
    opens = f"{now + timedelta(hours=3):%a %Y-%m-%d %H:%M}"
    assert f"Retries may be sent again from {opens} on." in window.document["held"]
    assert cloud.changes() == []


class Person:
    """Answers questions at a terminal, once it is open to answers: Ansible throws away what was typed before."""

    def __init__(self, screen: int, answers: Sequence[bytes]) -> None:
        self._screen = screen
        self._answers = answers
        self._typed: dict[int, float] = {}

    def look(self, text: str) -> None:
        """Type the answer if it is time to, and again if nobody has taken it."""
        listens = not termios.tcgetattr(self._screen)[3] & termios.ICANON
        question = text.count("Type yes to go on: ")
        if listens and question and time.monotonic() > self._typed.get(question, 0) + AGAIN:
            self._typed[question] = time.monotonic()
            os.write(self._screen, self._answers[question - 1])


def in_a_terminal(command: Sequence[str], home: Path, *answers: bytes) -> tuple[int, str]:
    """The exit code and the screen of a command whose questions a person answers, one after the other."""
    screen, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _AT_A_TERMINAL, *command],
        env=running.environ(home),
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    ) as process:
        try:
            os.close(end)
            text = "".join(_read(screen, Person(screen, answers)))
            return process.wait(PATIENCE), text
        finally:
            process.kill()
            os.close(screen)


def _read(screen: int, person: Person) -> Iterator[str]:
    """What appears on the screen until nobody writes there any more."""
    text, ends = "", time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            new = os.read(screen, 65_536).decode(errors="replace") if select.select([screen], [], [], 0.05)[0] else ""
        except OSError:  # as Linux says that nobody writes there any more
            return
        text += new
        yield new
        person.look(text)


def gate(**more: Any) -> dict[str, Any]:
    """A task that asks, and shows what it found."""
    plan = {"totals": {**documents.plan()["totals"], "retry": 3}, "drawn_up": 0}
    return {"redrive.tasks.remediation_gate": {"plan": plan, **more.pop("options", {})}, **more}


def test_a_person_is_asked_and_only_yes_goes_on(cloud: LocalCloud, playbook: Any) -> None:
    shipper = cloud.world.add_shipper("shop", "orders", "to-oss")
    ids = shipper.add_tasks(count=3, **OSS)
    shipper.add_tasks(count=2, **ROLE)
    command = playbook.command("remediate", playbook.variables(playbook.target("shop")))
    asked = "Retry 3 of 5 failed tasks in 1 target? 2 are left for a person, 0 held back. Type yes to go on: "
    code, screen = in_a_terminal(command, playbook.folder, b"no\r")
    assert (code, screen.count(asked)) == (0, 1), screen
    assert "Nothing was retried, because it was not confirmed." in screen
    assert cloud.changes() == []
    code, screen = in_a_terminal(command, playbook.folder, b"yes\r")
    assert (code, screen.count(asked)) == (0, 1), screen
    assert cloud.executed() == Counter(ids)


def test_what_a_person_may_answer_and_when_nobody_is_asked(playbook: Any) -> None:
    """Nobody is asked in a job, where it is not wanted, or in check mode."""
    answers = {b"no\r": False, b"\r": False, b"\x03": False, b"YES\r": True, b"y\r": True, b"yess\r": False}
    tasks = [gate() for _answer in answers]
    tasks += [gate(vars={"awx_job_id": 4711}), gate(options={"confirm": False}), gate(check_mode=True)]
    book = playbook.folder / "gate.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    code, screen = in_a_terminal(["ansible-playbook", "-v", str(book)], playbook.folder, *answers)
    assert code == 0, screen
    found = [text == "" for text in re.findall(r'ok: \[localhost\] => .*?"held": "(.*?)"', screen)]
    assert found == [*answers.values(), True, True, True]
    assert screen.count("Type yes to go on: ") == len(answers)
