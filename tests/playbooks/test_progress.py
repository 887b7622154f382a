# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person who waits for a retry module sees how far it has come; nobody else sees a difference."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import running
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.services import KEY_ID, SECRET

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
MODULE = "redrive.tasks.sls_shipper_task_retry"
ENVIRONMENT = {"SHOP": "{{ inventory_hostname }}"}


def command(cloud: LocalCloud, folder: Path, hosts: list[str], tasks: list[dict[str, Any]]) -> list[str]:
    """A play of these tasks. Its endpoint and credentials are defaults of the group of modules."""
    access = {"endpoint": cloud.url, "access_key_id": KEY_ID, "access_key_secret": SECRET}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {"group/redrive.tasks.sls": access},
        "tasks": tasks,
    }
    (folder / "play.json").write_text(json.dumps([play]))
    (folder / "hosts.json").write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {host: {"project": host} for host in hosts},
                    "vars": {
                        "ansible_connection": "local",
                        "ansible_async_dir": str(folder / "async"),
                        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                    },
                }
            }
        )
    )
    return ["ansible-playbook", "-i", str(folder / "hosts.json"), str(folder / "play.json")]


def retry(**more: Any) -> dict[str, Any]:
    """The options of a task that retries what failed in the host's project, and waits."""
    return {"project": "{{ project }}", "all_failed": True, "wait": True, "wait_interval": 0.2, **more}


class Terminal:
    """What a process writes to a terminal."""

    def __init__(self, screen: int) -> None:
        self._screen = screen
        self.text = ""

    def read(self) -> bool:
        """Read on; whether there was anything more."""
        ready, _write, _except = select.select([self._screen], [], [], 120)
        assert ready, f"nothing for two minutes after:\n{self.text}"
        try:
            content = os.read(self._screen, 65_536)
        except OSError:  # as Linux says that nobody writes there any more
            content = b""
        self.text += content.decode()
        return bool(content)

    def read_until(self, pattern: str) -> None:
        while not re.search(pattern, self.text):
            assert self.read(), f"{pattern} is not in:\n{self.text}"


@contextmanager
def terminal(arguments: list[str], home: Path) -> Iterator[tuple[subprocess.Popen[bytes], Terminal]]:
    """The command in a terminal of its own."""
    screen, end = pty.openpty()
    try:
        with subprocess.Popen(
            arguments, env=running.environ(home), stdin=end, stdout=end, stderr=end, start_new_session=True
        ) as process:
            os.close(end)
            try:
                yield process, Terminal(screen)
            finally:
                process.kill()
    finally:
        os.close(screen)


def heal(tasks: TaskList) -> None:
    for task in tasks:
        task.succeed(tasks._clock.now())


def test_in_a_terminal_lines_tell_how_far_each_host_has_come(cloud: LocalCloud, tmp_path: Path) -> None:
    """The tasks go on until a line was seen: no line comes too late to be of use."""
    shops = {name: cloud.world.add_shipper(name, "orders", "to-oss") for name in ("shop-front", "shop-back")}
    for tasks in shops.values():
        tasks.add_tasks(count=12, then="stay", **OSS)
        tasks.add_tasks(count=3, then="fail", **OSS)
    play = [{"name": "Retry", MODULE: retry(fail_on=[])}]
    with terminal(command(cloud, tmp_path, list(shops), play), tmp_path) as (process, screen):
        for name, tasks in shops.items():
            screen.read_until(rf"{name}: 0 of 15 recovered, 3 failed again, 12 running; at most 10 min left\r\n")
            assert not re.search(rf"changed: \[{name}\]", screen.text)
            heal(tasks)
        while screen.read():
            pass
        assert process.wait(60) == 0, screen.text
    assert re.search(r"shop-front +: ok=1 +changed=1 ", screen.text)
    assert cloud.executed() == Counter({task.id: 1 for tasks in shops.values() for task in tasks})
    assert not list(tmp_path.rglob("redrive-tasks-*"))


def test_short_runs_are_quiet_and_run_as_ansible_runs_any_module(cloud: LocalCloud, tmp_path: Path) -> None:
    names = ["plain", "with-items", "under-async", "hidden", "elsewhere", "loose"]
    for name in names:
        cloud.world.add_shipper(name, "orders", "to-oss").add_tasks(count=2, **OSS)
    keep = {"register": "kept", "environment": ENVIRONMENT}
    show = {"ansible.builtin.debug": {"msg": "SAID {{ kept | to_json }}"}}
    tasks: list[dict[str, Any]] = [
        {MODULE: retry(project="plain"), "check_mode": True, "diff": True, **keep},
        show,
        {MODULE: retry(project="plain"), **keep},
        show,
        {MODULE: retry(project="{{ item }}"), "loop": ["with-items", "plain"], **keep},
        show,
        {MODULE: retry(project="under-async"), "async": 60, "poll": 1, **keep},
        show,
        {MODULE: retry(project="hidden"), "no_log": True, **keep},
        show,
        {MODULE: retry(project="elsewhere"), "delegate_to": "localhost", **keep},
        show,
        {MODULE: retry(project="loose"), "async": 60, "poll": 0, "register": "job"},
        {
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "until": "kept is finished",
            "retries": 600,
            "delay": 0.1,
            "register": "kept",
        },
        show,
        {"ansible.builtin.command": "env", "environment": ENVIRONMENT, "register": "kept", "changed_when": False},
        {"ansible.builtin.debug": {"msg": "{{ kept.stdout is search('REDRIVE_TASKS') | ternary('LEFT', 'CLEAN') }}"}},
    ]
    done = running.run(command(cloud, tmp_path, ["shop"], tasks), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recovered," not in re.sub(r'"msg": ".*', "", done.stdout), done.stdout
    assert "CLEAN" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    said = [json.loads(json.loads(f'"{one}"')) for one in re.findall(r'"msg": "SAID (.*)"', done.stdout)]
    checked, plain, items, waited, hidden, elsewhere, loose = said
    assert checked["counts"]["retry"] == 2
    assert checked["counts"]["accepted"] == 0
    for one in (plain, items["results"][0], waited, hidden, elsewhere, loose):
        assert one["changed"]
        assert one["counts"]["recovered"] == 2
        assert one["counts"]["accepted"] == 2
    assert not items["results"][1]["changed"]
    assert Counter(cloud.executed().values()) == {1: 2 * len(names)}


def test_by_itself_the_module_runs_through_its_action_as_well(cloud: LocalCloud, tmp_path: Path) -> None:
    cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=2, **OSS)
    access = {"endpoint": cloud.url, "access_key_id": KEY_ID, "access_key_secret": SECRET}
    done = running.run(
        ["ansible", "localhost", "-m", MODULE, "-a", json.dumps({**retry(project="shop"), **access}), "-vvv"],
        tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 recovered" in done.stdout
    assert SECRET not in done.stdout + done.stderr
