# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services that jobs work on, and a folder that all processes of one run of the tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from awx.credentials import API_KEY
from local_cloud.testing import LocalCloud
from modules.services import SERVICES


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in every worker of pytest-xdist, each of which has a folder of its own below it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    """Every service, with its one parent, and the credentials of `awx.credentials`."""
    with LocalCloud() as one:
        for service in SERVICES:
            service.prepare(one)
        one.world.geelark.change_team("testTeam", api_key=API_KEY)
        yield one
