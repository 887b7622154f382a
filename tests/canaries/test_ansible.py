# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is shown by the modules, the role and the playbook under Ansible: not on the screen, in a file, to ps.

What Ansible shows whatever a module does is in the last tests; the guide to secrets says how to keep clear of it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from canaries.echoes import Echo, echo
from canaries.forms import CLS, DRS, FORMS, GEELARK, SLS, Form
from canaries.values import canary, leaks
from canaries.watching import Watched, watch
from local_cloud.testing import LocalCloud

MAIN = (SLS[0], CLS[0], DRS[0], GEELARK[0])
KEYS = (SLS[1], CLS[1], DRS[2], GEELARK[1])
# Found by themselves: one with variables and one with a file for each service that has both.
ENVIRONMENT = {form.service.name: form for form in FORMS if form.environ and not form.files}
LOUD = {
    "ANSIBLE_CACHE_PLUGIN": "jsonfile",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION": "facts",
    "ANSIBLE_GATHERING": "explicit",
    "ANSIBLE_RETRY_FILES_ENABLED": "true",
    "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit",
    "ANSIBLE_DISPLAY_TRACEBACK": "always",
    "ANSIBLE_DIFF_ALWAYS": "true",
}
# The arguments of a module, on their way to it. Ansible removes it when the module has ended.
_PAYLOAD = re.compile(r"/ansible-tmp-[^/]+/(AnsiballZ_\w+\.py|args)$")


def write(path: Path, content: Any, password: str | None = None) -> Path:
    """A YAML file, in a vault if there is a password."""
    text = yaml.safe_dump(content)
    if password:
        vault = VaultLib([("default", VaultSecret(password.encode()))])
        text = vault.encrypt(text).decode()
    path.write_text(text)
    return path


def task(module: str, options: dict[str, Any], **keywords: Any) -> list[dict[str, Any]]:
    """A task that may fail, and one that shows its result."""
    return [
        {f"redrive.tasks.{module}": options, "register": "done", "ignore_errors": True, **keywords},
        {"ansible.builtin.debug": {"var": "done"}},
    ]


def play(*tasks: list[dict[str, Any]], **keywords: Any) -> list[dict[str, Any]]:
    everything = [one for several in tasks for one in several]
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": everything, **keywords}]


def prepare(cloud: LocalCloud, folder: Path, *forms: Form) -> dict[str, str]:
    """Parents with failed tasks, and callers that the cloud knows; all secrets by the names of their places."""
    for service in {form.service.name: form.service for form in forms}.values():
        service.prepare(cloud)
    for form in forms:
        form.admit(cloud, form.secrets)
        form.service.add(cloud, count=2, **form.service.transient)
    return {f"{form}: {name}": secret for form in forms for name, secret in form.secrets.items()}


def echo_of(form: Form, **when: Any) -> Echo:
    """Retries are refused, with everything. Two services call them alike."""
    scope = {"sls": form.service.where.get("shipper"), "cls": form.service.where.get("shipper_id")}
    return echo(form.service.retry, "refused", form.secrets, {}, scope=scope.get(form.service.name), **when)


def test_modules_in_a_play_show_no_secret(cloud: LocalCloud, tmp_path: Path) -> None:
    """All eight modules: from a file of variables and from the environment; well, refused, misspelt, in background."""
    folder = tmp_path / "run"
    folder.mkdir()
    environment = tuple(ENVIRONMENT.values())
    secrets = prepare(cloud, folder, *MAIN, *environment)
    secrets["misspelt"] = canary("misspelt in a play")
    variables = {form.service.name: form.arguments(cloud) for form in MAIN}
    given = [write(folder / "given.yml", {"options": variables, "misspelt": secrets["misspelt"]})]
    options = {name: {key: f"{{{{ options.{name}.{key} }}}}" for key in keys} for name, keys in variables.items()}
    tasks = [task(form.service.act, {**options[form.service.name], "all_failed": True}) for form in MAIN]
    tasks += [task(form.service.info, form.arguments(cloud)) for form in environment]
    tasks += [task(SLS[0].service.info, {**options["sls"], "acess_key_secret": "{{ misspelt }}"})]
    tasks += [task(SLS[0].service.act, {**options["sls"], "all_failed": True}, **{"async": 30, "poll": 1})]
    for form in MAIN:
        cloud.faults.add(echo_of(form, times=1))
    playbook = write(folder / "play.yml", play(*tasks, vars_files=[str(given[0])]))
    environ = {**LOUD, **{name: value for form in environment for name, value in form.environ.items()}}
    watched = watch(
        ["ansible-playbook", str(playbook), "-vvvv"], folder, secrets, environ=environ, given=[*given, playbook]
    )
    assert watched.code == 0, watched.output
    results = re.findall(r"^ok: \[localhost\] => ", watched.output, re.MULTILINE)
    assert len(results) >= len(tasks)
    assert sum(request.fault == "echo" for request in cloud.requests) == len(MAIN)
    assert (folder / "ansible.log").stat().st_size
    assert any("AnsiballZ_" in command for command in watched.commands)
    # What ran in the background is cleared up some seconds after the end.
    shown = {name: names for name, names in watched.shown.items() if not _PAYLOAD.search(name)}
    assert not shown, shown
    issued = {token: token for token in cloud.world.drs.tokens}
    assert issued
    assert not leaks(issued, watched.output)
    for path, mode in watched.passing.items():
        assert _PAYLOAD.search(path), path
        assert mode == "drwx------"


FORMS_OF_REPORT = ("json", "markdown", "html")


def run_playbook(
    name: str, folder: Path, options: tuple[str, ...], secrets: dict[str, str], *files: Path, **variables: Any
) -> Watched:
    """A playbook with everything reported, and its files in a vault. The arguments of modules go through a pipe."""
    reports = {f"report_{form}": str(folder / f"report.{form}") for form in FORMS_OF_REPORT}
    given = write(folder / "variables.yml", {**reports, "remediate_wait": False, **variables}, password="of the vault")
    password = folder / "password"
    password.write_text("of the vault")
    command = ["ansible-playbook", f"redrive.tasks.{name}", "-vvvv", "-e", f"@{given}"]
    more = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_PIPELINING": "true"}
    watched = watch(
        [*command, "--vault-password-file", str(password), *options],
        folder,
        secrets,
        environ={**LOUD, **more},
        given=files,
    )
    assert watched.code == 2, watched.output
    return watched


def target(form: Form, cloud: LocalCloud, **more: Any) -> dict[str, Any]:
    return {"service": form.service.name, "name": form.service.name, **form.arguments(cloud), **more}


def test_targets_of_a_list_show_no_secret(cloud: LocalCloud, tmp_path: Path) -> None:
    """One for each service, which refuses to retry and shows all that it knows."""
    folder = tmp_path / "run"
    folder.mkdir()
    secrets = prepare(cloud, folder, *KEYS)
    for form in KEYS:
        cloud.faults.add(echo_of(form))
    targets = [target(form, cloud) for form in KEYS]
    watched = run_playbook("remediate", folder, (), secrets, redrive_targets=targets, remediate_canary=True)
    assert {request.operation for request in cloud.requests if request.fault} == {form.service.retry for form in KEYS}
    assert {path.name for path in folder.glob("report.*")} == {f"report.{form}" for form in FORMS_OF_REPORT}
    shown = watched.shown
    assert not shown, shown
    assert not watched.passing


def test_targets_of_an_inventory_that_cannot_be_worked_on_show_no_secret(cloud: LocalCloud, tmp_path: Path) -> None:
    """The secrets stand in the variables of hosts and groups. For a plan, and for a run in check mode."""
    folder = tmp_path / "run"
    folder.mkdir()
    sls = KEYS[0]
    secrets = prepare(cloud, folder, sls)
    secrets |= {name: canary(f"{name} in a target") for name in ("misspelt", "address", "no target")}
    cloud.faults.add(echo(sls.service.lists[0], "page", sls.secrets, {}))
    account = target(sls, cloud)
    del account["name"]
    hosts = {
        "refused": {},
        "misspelt": {"acess_key_secret": secrets["misspelt"]},
        "address": {"endpoint": f"https://user:{secrets['address']}@127.0.0.1"},
        "none": f"service=sls access_key_secret={secrets['no target']}",
    }
    inventory = {
        "redrive_targets": {
            "hosts": {name: {"redrive_target": one} for name, one in hosts.items()},
            "vars": {"redrive_account": account},
        }
    }
    # A vault: what stands beside a mistake, Ansible shows.
    given = write(folder / "inventory.yml", inventory, password="of the vault")
    for playbook, options in (("plan", ()), ("remediate", ("--check",))):
        watched = run_playbook(playbook, folder, ("-i", str(given), *options), secrets)
        assert "acess_key_secret" in watched.output
        assert cloud.requests[-1].fault == "echo"
        shown = watched.shown
        assert not shown, shown
    names = [f"report{kind}.{form}" for kind in ("", ".preview") for form in FORMS_OF_REPORT]
    assert sorted(path.name for path in folder.glob("report*")) == sorted(names)


def test_a_wrong_variable_of_a_role_shows_no_secret_next_to_it(cloud: LocalCloud, tmp_path: Path) -> None:
    """Ansible shows the variables of the role, of which one is the target."""
    folder = tmp_path / "run"
    folder.mkdir()
    secrets = prepare(cloud, folder, SLS[0])
    targets = [target(SLS[0], cloud)]
    for name, wrong in {"plan_retry_classes": ["hopeless"], "remediate_window": ["perhaps"]}.items():
        watched = run_playbook("remediate", folder, (), secrets, redrive_targets=targets, **{name: wrong})
        assert "Validation of arguments failed" in watched.output
        shown = watched.shown
        assert not shown, shown


def test_targets_that_are_none_are_refused_without_their_secrets(cloud: LocalCloud, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    secrets = {"target": canary("a target that is none")}
    lists: list[Any] = [
        [f"service=sls access_key_secret={secrets['target']}", json.dumps(secrets), [secrets["target"]], None],
        {"service": "sls", "access_key_secret": secrets["target"]},
    ]
    for targets in lists:
        watched = run_playbook("remediate", folder, (), secrets, redrive_targets=targets)
        assert not cloud.requests
        shown = watched.shown
        assert not shown, shown


# -- what Ansible shows whatever a module does ------------------------------------------------------------------------


def test_ansible_shows_what_stands_in_a_play_in_the_environment_of_a_task_and_beside_a_mistake(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    """The guide to secrets says so. It does so before a module begins, or beside it, so no module can help it."""
    folder = tmp_path / "run"
    folder.mkdir()
    names = ("keyword environment", "line above a mistake", "payload that is kept")
    secrets = {name: canary(name) for name in names}
    SLS[0].service.prepare(cloud)
    near = {"access_key_secret": secrets["line above a mistake"], "project": "{{ nowhere }}"}
    given = write(folder / "given.yml", {"near": near, "kept": secrets["payload that is kept"]})
    variables = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "x", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secrets["keyword environment"]}
    where = {"endpoint": cloud.url, **SLS[0].service.where}
    info = SLS[0].service.info
    playbook = write(
        folder / "play.yml",
        play(
            task(info, where, environment=variables),
            task(info, {**where, "project": "{{ near.project }}"}),
            task(info, {**where, "access_key_id": "x", "access_key_secret": "{{ kept }}"}),
            vars_files=[str(given)],
        ),
    )
    command = ["ansible-playbook", str(playbook), "-vvv"]
    files = {"ANSIBLE_KEEP_REMOTE_FILES": "true"}
    watched = watch(command, folder, secrets, environ=files, given=[given, playbook])
    shown = watched.shown
    assert set(shown["output"]) == {"keyword environment", "line above a mistake"}
    assert set(shown["process list"]) == {"keyword environment"}
    kept = {path: set(names) for path, names in shown.items() if _PAYLOAD.search(path)}
    assert list(kept.values()) == [{"payload that is kept"}]
    assert {watched.passing[path] for path in kept} == {"drwx------"}
    assert set(shown) == {"output", "process list", str(folder / "ansible.log"), *kept}
