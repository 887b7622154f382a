# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may still be sent once a run is to end."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind


def test_until_it_is_pulled_everything_may_begin() -> None:
    Brake().check(changes=True)
    Brake().check(changes=False)


def test_a_stop_lets_reads_begin_and_no_changes() -> None:
    brake = Brake()
    brake.stop("denied")
    brake.stop("later")
    brake.check(changes=False)
    with pytest.raises(CallError, match="denied") as caught:
        brake.check(changes=True)
    assert caught.value.kind is Kind.STOPPED
    assert not caught.value.kind.may_have_run
    assert not caught.value.kind.passing


@pytest.mark.parametrize("changes", [False, True])
def test_an_interruption_lets_nothing_begin(changes: bool) -> None:
    brake = Brake()
    brake.interrupt("by somebody")
    with pytest.raises(CallError, match="by somebody"):
        brake.check(changes=changes)
