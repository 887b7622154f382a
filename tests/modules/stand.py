# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the installed modules, each run in a process of its own that is forked when everything is imported already.

Each line on stdin is a job: the module's full name, its environment, and a folder that holds `stdin` and takes `stdout`
and `stderr`. A line on stdout says that it is done. A job in the background is answered at once, by the number of its
process; that number is a job as well, which is done when the process has ended.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path

PREFIX = "ansible_collections.redrive.tasks.plugins.modules."


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        if isinstance(job, int):
            _wait_for(job)
            continue
        module = importlib.import_module(PREFIX + job["module"])
        child = os.fork()
        if not child:
            _become(Path(job["folder"]), job["env"])
            sys.exit(module.main())
        if job.get("background"):
            _say(str(child))
        else:
            _wait_for(child)


def _wait_for(child: int) -> None:
    os.waitpid(child, 0)
    _say("done")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _become(folder: Path, env: dict[str, str]) -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(folder / name, flags, 0o600), number)
    sys.stdin = os.fdopen(os.dup(0), encoding="utf-8")  # what the parent has read ahead must not be seen
    os.environ.clear()
    os.environ.update(env)
    # Whoever started the tests in the background may have them ignore an interruption, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


if __name__ == "__main__":
    main()
