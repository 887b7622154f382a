# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Where and who: module_utils/_fronts/geelark.py.
    DOCUMENTATION = r"""
requirements:
  - requests (Python library)
notes:
  - An option that is given as an empty string counts as not given, so that survey fields can be passed on as they are.
  - Where credentials are found, in this order, each taken as a whole. The option O(api_token), or the options O(app_id)
    and O(api_key). The variable E(GEELARK_BEARER_TOKEN) or E(GEELARK_TOKEN). The variables E(GEELARK_APP_ID) and
    E(GEELARK_API_KEY).
  - The account of the credentials is the scope. Tasks of cloud phones are looked at, not those of browsers, which
    another API serves.
  - GeeLark shows tasks for seven days after the time for which they were scheduled, and that time is what this
    collection calls their creation. A task that is scheduled for later than now is found by its id only.
  - GeeLark takes 200 calls of one kind in a minute and 24,000 in an hour. Who makes more in an hour is locked out for
    two hours. These modules make 180 a minute at the most unless O(rate_limit) says otherwise. Other programs of the
    same account may count as well (assumed).
options:
  task_ids:
    description:
      - Exactly these tasks, whatever O(since) and O(until) say. Repeated ids count once, and their order is kept.
      - V([]) means that there is nothing to do, and sends nothing.
    type: list
    elements: str
    aliases: [ids]
  include_cancelled:
    description:
      - Also tasks that a person cancelled. They are not judged, since nothing made them fail.
    type: bool
    default: false
  endpoint:
    description:
      - The endpoint, optionally with scheme and port.
      - The default is V(https://openapi.geelark.com). The vendor's Chinese pages name V(https://openapi.geelark.cn).
        Whether accounts of the one are known to the other is not documented.
    type: str
  region:
    description:
      - Ignored, because GeeLark has no regions. It is accepted so that all modules of this collection take the same
        options.
    type: str
  api_token:
    description:
      - The token of the account.
      - Give it, or O(app_id) with O(api_key), not both.
    type: str
  app_id:
    description:
      - The id of the team's application.
    type: str
  api_key:
    description:
      - The key that belongs to O(app_id). It signs each request and is never sent. The clock of the machine that runs
        the module must be right.
    type: str
"""
