# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the installed modules, each run in a process of its own that is forked when everything is imported already.

Each line on stdin is a job: the module's full name, its environment, and a folder that holds `stdin` and takes `stdout`
and `stderr`. A line on stdout says that it is done.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

PREFIX = "ansible_collections.redrive.tasks.plugins.modules."


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        module = importlib.import_module(PREFIX + job["module"])
        child = os.fork()
        if not child:
            _become(Path(job["folder"]), job["env"])
            sys.exit(module.main())
        os.waitpid(child, 0)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _become(folder: Path, env: dict[str, str]) -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(folder / name, flags, 0o600), number)
    sys.stdin = os.fdopen(os.dup(0), encoding="utf-8")  # what the parent has read ahead must not be seen
    os.environ.clear()
    os.environ.update(env)


if __name__ == "__main__":
    main()
