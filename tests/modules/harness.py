# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the installed modules against the local cloud, and holds every single run to the public contract."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import running
from local_cloud.server import RecordedRequest
from local_cloud.testing import LocalCloud
from modules.services import BY_MODULE, Service

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_STATES = {"waiting", "running", "succeeded", "failed", "cancelled", "paused", "missing", "unknown"}
_RETRIED = {"failed", "cancelled", "paused"}
_OUTCOMES = ("accepted", "refused", "unknown", "not_attempted")
_COUNTS = {"found", "selected", "retry", "none", "skip", "missing", *_OUTCOMES}
_COUNTS |= {"recovered", "failed_again", "still_running"}
_FAILURE = {"class", "rule", "code", "message", "remedy"}


@dataclass(frozen=True)
class Ran:
    """What a module returned, everything that was printed, and every request of this run that reached the cloud.

    `executed`: how often a retry of each task took effect.
    """

    result: dict[str, Any]
    failed: bool
    output: str
    arrived: list[RecordedRequest]
    executed: Counter[str]

    def __getitem__(self, key: str) -> Any:
        return self.result[key]

    @property
    def msg(self) -> str:
        return str(self.result["msg"])

    @property
    def warnings(self) -> str:
        """On one line; ad-hoc runs have them on the screen only."""
        return " ".join(" ".join([*self.result.get("warnings", []), self.output]).split())

    @property
    def ids(self) -> list[str]:
        return [task["id"] for task in self.result["tasks"]]

    @property
    def changes(self) -> list[RecordedRequest]:
        return [request for request in self.arrived if request.changes]

    @property
    def reads(self) -> list[RecordedRequest]:
        return [request for request in self.arrived if not request.changes]

    def by_id(self) -> dict[str, dict[str, Any]]:
        return {task["id"]: task for task in self.result["tasks"]}

    def outcomes(self) -> dict[str, int]:
        return dict(Counter(task["outcome"] for task in self.result["tasks"]))

    def counts(self, *names: str) -> tuple[int, ...]:
        return tuple(self.result["counts"][name] for name in names)


@dataclass(frozen=True)
class Runner:
    """Runs one module with the endpoint and credentials of the local cloud, unless a test gives others."""

    cloud: LocalCloud
    home: Path

    def __call__(
        self,
        module: str,
        options: Mapping[str, Any],
        *,
        check: bool = False,
        diff: bool = False,
        verbosity: int = 0,
        environ: Mapping[str, str] | None = None,
        defaults: bool = True,
        all_arrive: bool = True,
    ) -> Ran:
        """An option of None is left out. `all_arrive`: every request that the module sends reaches the local cloud."""
        service = BY_MODULE[module]
        arguments = self.arguments(service, options, defaults=defaults)
        before, executed = len(self.cloud.requests), self.cloud.executed()
        result, failed, output = self.run(
            module, arguments, check, diff, verbosity, running.environ(self.home, environ)
        )
        ran = Ran(result, failed, output, self.cloud.requests[before:], self.cloud.executed() - executed)
        hold_to_contract(ran, service, arguments, acts=module == service.act, check=check, all_arrive=all_arrive)
        return ran

    def arguments(self, service: Service, options: Mapping[str, Any], *, defaults: bool = True) -> dict[str, Any]:
        """The options with those of the local cloud; without any that is None."""
        arguments = {**(service.defaults(self.cloud) if defaults else {}), **options}
        return {name: value for name, value in arguments.items() if value is not None}

    def run(
        self, module: str, arguments: Mapping[str, Any], check: bool, diff: bool, verbosity: int, env: dict[str, str]
    ) -> tuple[dict[str, Any], bool, str]:
        raise NotImplementedError


class Ansible(Runner):
    """By its FQCN, under a real `ansible`."""

    def run(
        self, module: str, arguments: Mapping[str, Any], check: bool, diff: bool, verbosity: int, env: dict[str, str]
    ) -> tuple[dict[str, Any], bool, str]:
        command = ["ansible", "localhost", "-m", f"redrive.tasks.{module}", "-a", json.dumps(arguments)]
        command += ["--check"] * check + ["--diff"] * diff + ["-" + "v" * verbosity] * bool(verbosity)
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        output = done.stdout + done.stderr
        match = re.search(r"^localhost \| (SUCCESS|CHANGED|FAILED)!? => ", done.stdout, re.MULTILINE)
        assert match, f"no result:\n{output}"
        result, _end = json.JSONDecoder().raw_decode(done.stdout, match.end())
        return result, match.group(1) == "FAILED", output


@dataclass(frozen=True)
class Direct(Runner):
    """The installed module alone, with arguments on stdin, for what does not depend on Ansible: a tenth of the time."""

    stand: subprocess.Popen[str]

    def run(
        self, module: str, arguments: Mapping[str, Any], check: bool, diff: bool, verbosity: int, env: dict[str, str]
    ) -> tuple[dict[str, Any], bool, str]:
        internal = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_verbosity": verbosity}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "stdin").write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}}))
            assert self._ask({"module": module, "env": env, "folder": name}) == "done"
            return _result_in(folder)

    def start(
        self, module: str, options: Mapping[str, Any], *, check: bool = False, environ: Mapping[str, str] | None = None
    ) -> Started:
        """Start a run in the background."""
        service = BY_MODULE[module]
        arguments = self.arguments(service, options)
        folder = Path(tempfile.mkdtemp(dir=self.home))
        internal = {"_ansible_check_mode": check, "_ansible_module_name": f"redrive.tasks.{module}"}
        (folder / "stdin").write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}}))
        env = running.environ(self.home, environ)
        job = {"module": module, "env": env, "folder": str(folder), "background": True}
        return Started(self, service, arguments, folder, check, int(self._ask(job)))

    def an_hour_later(self) -> None:
        """Make what earlier runs noted older: whatever they sent has shown by now."""
        for file in self.home.glob("redrive.tasks-*.lock"):
            head, *lines = file.read_text().split("\n")
            file.write_text("\n".join([head, *map(_aged, lines)]))

    def wait_for(self, process: int) -> None:
        """Return when a process in the background has ended."""
        assert self._ask(process) == "done"

    def _ask(self, job: object) -> str:
        assert self.stand.stdin
        assert self.stand.stdout
        self.stand.stdin.write(json.dumps(job) + "\n")
        self.stand.stdin.flush()
        return self.stand.stdout.readline().strip()


def _aged(line: str) -> str:
    note = json.loads(line) if line else None
    if not note or note[0] != "sent":
        return line
    return json.dumps([note[0], note[1] - 3600, *note[2:]])


def _result_in(folder: Path) -> tuple[dict[str, Any], bool, str]:
    stdout, stderr = ((folder / one).read_text() for one in ("stdout", "stderr"))
    assert stdout.strip(), f"no result:\n{stderr}"
    result = json.loads(stdout.strip().splitlines()[-1])
    result["warnings"] = [str(warning) for warning in result.get("warnings") or []]
    return result, bool(result.get("failed")), stdout + stderr


class Started:
    """A run in the background, which the test has to end or to wait for."""

    def __init__(
        self, runner: Direct, service: Service, arguments: dict[str, Any], folder: Path, check: bool, pid: int
    ) -> None:
        self.pid = pid
        self._runner = runner
        self._service = service
        self._arguments = arguments
        self._folder = folder
        self._check = check
        self._ended = False
        self._before, self._executed = len(runner.cloud.requests), runner.cloud.executed()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and return when it has reached the process."""
        os.kill(self.pid, number)
        for _look in range(5000):
            if number not in _pending(self.pid):
                return
            time.sleep(0.002)
        raise AssertionError(f"{number.name} does not arrive")

    def wait_until_it_waits(self) -> None:
        """Return when it has opened the lock, of which the test knows that another run has it."""
        for _look in range(5000):
            with contextlib.suppress(FileNotFoundError):  # a file that was closed just now
                files = [link.readlink().name for link in Path(f"/proc/{self.pid}/fd").iterdir()]
                if any(name.endswith(".lock") for name in files):
                    return
            time.sleep(0.002)
        raise AssertionError("it does not wait")

    def kill(self) -> None:
        """End it as nobody can prevent."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def discard(self) -> None:
        """End it if the test has not."""
        if not self._ended:
            self.kill()

    def _wait(self) -> None:
        self._runner.wait_for(self.pid)
        self._ended = True

    def end(self, *, alone: bool = True) -> Ran:
        """Wait for its end. `alone`: no other run was there meanwhile, so that all requests were its own."""
        self._wait()
        cloud = self._runner.cloud
        arrived, executed = cloud.requests[self._before :], cloud.executed() - self._executed
        ran = Ran(*_result_in(self._folder), arrived, executed)
        if alone:
            hold_to_contract(ran, self._service, self._arguments, acts=True, check=self._check)
        return ran


def _pending(pid: int) -> set[int]:
    """The signals that a process has not taken notice of."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return set()
    if re.search(r"^State:\s*Z", status, re.MULTILINE):  # it had ended already
        return set()
    masks = [int(mask, 16) for mask in re.findall(r"^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$", status, re.MULTILINE)]
    return {number for number in range(1, 65) for mask in masks if mask >> (number - 1) & 1}


def stand_up() -> subprocess.Popen[str]:
    """Start the process that `Direct` runs modules in; the caller ends it."""
    command = [sys.executable, str(Path(__file__).with_name("stand.py"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# -- the contract -----------------------------------------------------------------------------------------------------


def hold_to_contract_of(
    result: dict[str, Any], output: str, service: Service, arguments: Mapping[str, Any], cloud: LocalCloud
) -> None:
    """The same of a run of the retry module, the only one so far, that was started in another way."""
    ran = Ran(result, bool(result.get("failed")), output, cloud.requests, cloud.executed())
    hold_to_contract(ran, service, arguments, acts=True)


def hold_to_contract(
    ran: Ran,
    service: Service,
    arguments: Mapping[str, Any],
    *,
    acts: bool,
    check: bool = False,
    all_arrive: bool = True,
) -> None:
    """Everything that the public interface says of any result whatsoever."""
    result = ran.result
    assert ran.msg
    assert "This is a bug" not in ran.msg
    assert "Traceback" not in ran.output
    if "requests" in result:
        _requests_are_counted(ran, service, all_arrive=all_arrive)
    else:
        assert not ran.arrived
    if "tasks" not in result:
        assert ran.failed
        assert result.get("changed", False) is False
        assert not ran.changes
        return
    assert set(result["counts"]) == _COUNTS
    for task in result["tasks"]:
        _task_is_sound(task, service)
        _outcome_follows(task, planning=check, info=not acts)
    _numbers_add_up(ran, acting=acts and not check)
    _causes_fold_the_failed(ran)
    _order_is_stable(ran, arguments, service)
    _changed_is_true(ran, service, acts=acts)
    _cloud_agrees(ran, service, acting=acts and not check)


def _requests_are_counted(ran: Ran, service: Service, *, all_arrive: bool) -> None:
    requests = ran["requests"]
    assert set(requests) == {"sent", "repeated", "throttled", "seconds"}
    assert 0 <= requests["repeated"] <= requests["sent"]
    assert 0 <= requests["throttled"] <= requests["sent"]
    assert requests["seconds"] >= 0
    if all_arrive:
        assert requests["sent"] == len(ran.arrived)
        throttled = [one for one in ran.arrived if _is_throttled(one, service)]
        assert requests["throttled"] == len(throttled)


def _is_throttled(request: RecordedRequest, service: Service) -> bool:
    return request.fault in ("throttle", "rate_limit") or request.code == service.throttle


def _task_is_sound(task: Mapping[str, Any], service: Service) -> None:
    assert task["state"] in _STATES
    assert task["reason"]
    assert ("failure" in task) == (task["state"] == "failed")
    if "failure" in task:
        assert set(task["failure"]) == _FAILURE
    for name in ("created", "expires"):
        assert task[name] is None or _ISO.fullmatch(task[name])
    if task["created"] and service.horizon:
        assert _moment(task["expires"]) - _moment(task["created"]) == service.horizon
    if task["state"] == "missing":
        assert (task["action"], task["scope"], task["status"]) == ("none", {}, "")
    else:
        assert set(task["scope"]) == service.scope
    if "error" in task:
        assert set(task["error"]) == {"code", "message", "request_id"}


def _outcome_follows(task: Mapping[str, Any], *, planning: bool, info: bool) -> None:
    assert task["action"] in ("retry", "none", "skip")
    if info or task["action"] != "retry":
        assert task["outcome"] == "none"
    elif planning:
        assert task["outcome"] in ("planned", "not_attempted")  # the latter where max_tasks refused to start
    else:
        assert task["outcome"] in _OUTCOMES
    if task["outcome"] == "refused":
        assert task["error"]["message"]
    if task["outcome"] in ("none", "planned"):
        assert "error" not in task
        # A decision that was taken back, because the state had changed before the retry was to be sent.
        assert "state_after" not in task or (task["action"] != "retry" and task["state"] in _RETRIED)


def _numbers_add_up(ran: Ran, *, acting: bool) -> None:
    tasks, counts = ran["tasks"], ran["counts"]
    missing = sum(task["state"] == "missing" for task in tasks)
    actions = Counter(task["action"] for task in tasks)
    expected = {"selected": len(tasks), "retry": actions["retry"], "skip": actions["skip"], "missing": missing}
    expected["none"] = actions["none"] - missing
    outcomes = Counter(task["outcome"] for task in tasks)
    expected.update({name: outcomes[name] for name in _OUTCOMES})
    after = Counter(task.get("state_after") for task in tasks if task["outcome"] == "accepted")
    # What never ends by itself may have recovered although it is running.
    expected["recovered"] = counts["recovered"]
    assert after["succeeded"] <= counts["recovered"] <= after["succeeded"] + after["running"]
    expected["failed_again"] = after["failed"]
    expected["still_running"] = after["running"] + after["waiting"] + after["succeeded"] - counts["recovered"]
    assert counts == {**expected, "found": counts["found"]}
    assert counts["selected"] == sum(counts[name] for name in ("retry", "none", "skip", "missing"))
    assert counts["found"] >= counts["selected"] - missing
    if acting:
        assert counts["retry"] == sum(counts[name] for name in _OUTCOMES)


def _causes_fold_the_failed(ran: Ran) -> None:
    failed = [task for task in ran["tasks"] if task["state"] == "failed"]
    causes = ran["causes"]
    assert Counter(one for cause in causes for one in cause["task_ids"]) == Counter(task["id"] for task in failed)
    assert [cause["count"] for cause in causes] == sorted((cause["count"] for cause in causes), reverse=True)
    for cause in causes:
        members = [task for task in failed if task["id"] in cause["task_ids"]]
        assert set(cause) == {*_FAILURE, "count", "oldest", "first_expiry", "task_ids"}
        assert cause["count"] == len(cause["task_ids"])
        assert {(task["failure"]["class"], task["failure"]["rule"]) for task in members} == {
            (cause["class"], cause["rule"])
        }
        assert cause["oldest"] == min((task["created"] for task in members if task["created"]), default=None)
        assert cause["first_expiry"] == min((task["expires"] for task in members if task["expires"]), default=None)


def _order_is_stable(ran: Ran, arguments: Mapping[str, Any], service: Service) -> None:
    asked = arguments.get(service.id_option, arguments.get("ids"))
    if isinstance(asked, list):
        assert list(dict.fromkeys(ran.ids)) == list(dict.fromkeys(map(str, asked)))
    elif not asked:
        ages = [task["created"] or "" for task in ran["tasks"]]
        assert ages == sorted(ages)


def _changed_is_true(ran: Ran, service: Service, *, acts: bool) -> None:
    changing = {task["id"]: task for task in ran["tasks"] if task["outcome"] in ("accepted", "planned")}
    assert ran["changed"] is bool(changing)
    if not acts:
        assert "diff" not in ran.result
        return
    if "diff" not in ran.result:  # the callback of ad-hoc runs takes it out
        return
    diff = ran["diff"]
    assert diff["before"] == {name: task["state"] for name, task in changing.items()}
    assert diff["after"] == {name: task.get("state_after", service.expected) for name, task in changing.items()}


def _cloud_agrees(ran: Ran, service: Service, *, acting: bool) -> None:
    """What the module says of its retries is what the cloud saw, and nothing was sent carelessly."""
    if not acting:
        assert not ran.changes
    passed = [put for put in ran.changes if not _is_throttled(put, service)]
    passed = [put for put in passed if put.code not in service.unread]
    sent = Counter(one for put in passed for one in put.ids)
    served = {one for put in passed if put.took_effect for one in put.ids}
    assert all(times == 1 for times in sent.values()), "a task was sent again"
    assert all(1 <= len(put.ids) <= service.batch for put in ran.changes)
    by_outcome = {name: {task["id"] for task in ran["tasks"] if task["outcome"] == name} for name in _OUTCOMES}
    assert by_outcome["accepted"] <= served
    assert not by_outcome["refused"] & set(ran.executed)
    locked = {one for put in passed if put.code in service.locks for one in put.ids}
    assert not by_outcome["not_attempted"] & (set(sent) - locked)
    # A decision is taken back when the service, asked for the retry, was ahead of it.
    assert set(sent) <= {task["id"] for task in ran["tasks"] if task["action"] == "retry" or "state_after" in task}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
