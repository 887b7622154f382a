# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Where and who: module_utils/_fronts/sls.py.
    DOCUMENTATION = r"""
requirements:
  - requests (Python library)
notes:
  - An option that is given as an empty string counts as not given, so that survey fields can be passed on as they are.
  - Where credentials are found, in this order, each taken as a whole. The options O(access_key_id) and
    O(access_key_secret). The profile named by O(profile). The variables E(ALIBABA_CLOUD_ACCESS_KEY_ID),
    E(ALIBABA_CLOUD_ACCESS_KEY_SECRET) and E(ALIBABA_CLOUD_SECURITY_TOKEN). The variables E(ALICLOUD_ACCESS_KEY_ID)
    or E(ALICLOUD_ACCESS_KEY), E(ALICLOUD_ACCESS_KEY_SECRET) or E(ALICLOUD_SECRET_ACCESS_KEY) or
    E(ALICLOUD_SECRET_KEY), and E(ALICLOUD_SECURITY_TOKEN). The profile named by E(ALIBABA_CLOUD_PROFILE) or
    E(ALICLOUD_PROFILE), or the current one, of C(~/.aliyun/config.json), in mode C(AK) or C(StsToken).
  - The vendor replaces shipping rules of the old version, which these modules work on, by export jobs, which have no
    call to retry a task. No source says until when the calls answer for existing shipping rules.
  - SLS shows tasks for 48 hours. What failed longer ago can neither be seen nor retried.
  - SLS publishes no limit for how often these calls may be made, so none is applied unless O(rate_limit) sets one.
    When the service answers that it is asked too often, the module waits and tries again.
options:
  project:
    description:
      - The project.
    type: str
    required: true
  logstore:
    description:
      - The logstore. Leave it out for all logstores of the project.
    type: str
  shipper:
    description:
      - The shipping rule of O(logstore). Leave it out for all of them.
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
      - The endpoint of the project's region, for example V(cn-hangzhou.log.aliyuncs.com), optionally with scheme and
        port, and with or without the project in front. An intranet, share or acceleration endpoint does as well.
      - An IP address or V(localhost) is connected to as it is, and the project travels in the Host header only.
      - The default follows from the region.
    type: str
  region:
    description:
      - The region of the project, for example V(cn-hangzhou).
      - The default is the first of E(ALIBABA_CLOUD_REGION_ID), E(ALIBABA_CLOUD_DEFAULT_REGION), E(ALICLOUD_REGION) and
        E(ALICLOUD_REGION_ID) that is set, then the region of the profile, then what the endpoint's name tells.
      - Needed when O(endpoint) is not given, and for O(signature_version=v4) when the endpoint does not tell it.
    type: str
  access_key_id:
    description:
      - The id of the AccessKey pair. Use a RAM user that may do no more than C(log:ListLogStores),
        C(log:ListShipper), C(log:GetShipperStatus) and, to retry, C(log:RetryShipperTask).
    type: str
  access_key_secret:
    description:
      - The secret of the AccessKey pair.
    type: str
  security_token:
    description:
      - The STS token, when the pair is a temporary one.
    type: str
  profile:
    description:
      - The profile of C(~/.aliyun/config.json) to use.
    type: str
  signature_version:
    description:
      - The version of the request signature. Both are accepted by the service; V(v4) uses SHA-256 and needs to know
        the region.
    type: str
    choices: [v1, v4]
    default: v1
"""
