# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Where and who: module_utils/_fronts/cls.py.
    DOCUMENTATION = r"""
requirements:
  - requests (Python library)
notes:
  - An option that is given as an empty string counts as not given, so that survey fields can be passed on as they are.
  - Where credentials are found, in this order, each taken as a whole. The options O(secret_id) and O(secret_key), with
    O(token). The profile named by O(profile). The variables E(TENCENTCLOUD_SECRET_ID) and E(TENCENTCLOUD_SECRET_KEY),
    with the first of E(TENCENTCLOUD_TOKEN), E(TENCENTCLOUD_SECURITY_TOKEN) and E(TENCENTCLOUD_SESSION_TOKEN) that is
    set. The profile named by E(TCCLI_PROFILE) or E(TENCENTCLOUD_PROFILE), or V(default).
  - A profile is the section of that name in the file named by E(TENCENTCLOUD_CREDENTIALS_FILE), or in
    C(~/.tencentcloud/credentials) or C(/etc/tencentcloud/credentials), else the file C(~/.tccli/<profile>.credential)
    of the vendor's command line.
  - A task of CLS has a message and no failure code, so choose with O(message_regex) and O(rules[].match). With O(codes)
    no failed task is kept.
  - CLS shows tasks for 3 days. What failed longer ago can neither be seen nor retried.
  - CLS publishes a limit of 20 requests a second for each of its calls. It is kept, with a hundredth to spare, unless
    O(rate_limit) says otherwise.
options:
  shipper_id:
    description:
      - The id of the shipping rule. Leave it out for all of the account in the region.
    type: str
  task_ids:
    description:
      - Exactly these tasks. Repeated ids count once, and their order is kept.
      - V([]) means that there is nothing to do, and sends nothing.
    type: list
    elements: str
    aliases: [ids]
  endpoint:
    description:
      - The endpoint of the API, optionally with scheme and port. The default V(cls.tencentcloudapi.com) is that of the
        China site.
      - Use V(cls.intl.tencentcloudapi.com) on the international site, V(cls.internal.tencentcloudapi.com) from inside
        the vendor's network, or a regional one such as V(cls.ap-guangzhou.tencentcloudapi.com), which finance regions
        need.
    type: str
  region:
    description:
      - The region of the shipping rules, for example V(ap-guangzhou).
      - The default is what a regional O(endpoint) names, then E(TENCENTCLOUD_REGION), then the region to which the
        vendor's command line is set for the profile.
      - Needed when none of these is there, because shipping rules belong to a region; but not for an O(endpoint) that
        is none of the vendor's names, where whoever set it up may have settled the region.
    type: str
  secret_id:
    description:
      - The SecretId of the key. Use a CAM user that may do no more than C(cls:DescribeShippers),
        C(cls:DescribeShipperTasks) and, to retry, C(cls:RetryShipperTask).
    type: str
  secret_key:
    description:
      - The SecretKey of the key.
    type: str
  token:
    description:
      - The token, when the key is a temporary one.
    type: str
  profile:
    description:
      - The profile to use.
    type: str
"""
