# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is tried in how much time."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings


def examples(number: int, *, steps: int = 50) -> settings:
    """Settings for so many examples in CI, and for as many more as the profile in use asks for.

    :param steps: of a state machine
    """
    usual = 100  # of Hypothesis itself
    return settings(
        max_examples=max(1, number * settings().max_examples // usual),
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        # All but an explanation of failures, which takes longer than to find them.
        phases=[one for one in settings().phases if one is not Phase.explain],
        stateful_step_count=steps,
    )
