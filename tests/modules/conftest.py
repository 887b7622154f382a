# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud with two accounts, and the modules to run against it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, stand_up
from modules.services import KEY_ID, SECRET
from modules.sls import TOKEN, TOKEN_ID, TOKEN_SECRET


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        running.world.add_account(KEY_ID, SECRET)
        running.world.add_account(TOKEN_ID, TOKEN_SECRET, security_token=TOKEN)
        yield running


@pytest.fixture
def shipper(cloud: LocalCloud) -> TaskList:
    """The one shipper of most tests, empty."""
    return cloud.world.add_shipper("shop", "access", "to-oss")


@pytest.fixture
def ansible(cloud: LocalCloud, tmp_path: Path) -> Ansible:
    return Ansible(cloud, tmp_path)


@pytest.fixture(scope="session")
def stand() -> Iterator[subprocess.Popen[str]]:
    """The process that `Direct` runs modules in."""
    process = stand_up()
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def module(cloud: LocalCloud, tmp_path: Path, stand: subprocess.Popen[str]) -> Direct:
    return Direct(cloud, tmp_path, stand)
