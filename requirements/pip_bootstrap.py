# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the script that ansible-test would download to put pip into its own environments.

ansible-test looks for it in its cache (get_pip_*.py) and runs it with pip's arguments. The ensurepip of the
standard library does the same without a download; in a process of its own, because when called in-process
it switches off pip's configuration for the rest of the run.
"""

from __future__ import annotations

import os
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "-q", *arguments], env=dict(os.environ)))
