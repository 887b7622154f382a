# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short names for the tests that are about SLS alone."""

from __future__ import annotations

from typing import Any

from modules.services import SLS

INFO, RETRY = SLS.info, SLS.act
TOKEN_ID, TOKEN_SECRET, TOKEN = "STS.testTemporary", "testTemporarySecret", "testStsToken/with+chars=="
PROJECT: dict[str, Any] = {"project": "shop"}
LOGSTORE: dict[str, Any] = {**PROJECT, "logstore": "access"}
WHERE: dict[str, Any] = {**LOGSTORE, "shipper": "to-oss"}
ALL: dict[str, Any] = {**WHERE, "all_failed": True}
FAST: dict[str, Any] = {"wait": True, "wait_interval": 0.1}
