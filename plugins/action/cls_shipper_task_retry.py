# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says how far the module of this name has come, while it works."""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.plugin_utils._watching import WatchedModule


class ActionModule(WatchedModule):
    """As Ansible finds it."""
