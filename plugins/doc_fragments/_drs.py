# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Where and who: module_utils/_fronts/drs.py.
    DOCUMENTATION = r"""
requirements:
  - requests (Python library)
  - PyYAML (Python library), to read C(clouds.yaml)
notes:
  - An option that is given as an empty string counts as not given, so that survey fields can be passed on as they are.
  - Where credentials are found, in this order, each taken as a whole. The options of one kind, which are O(auth_token),
    or O(username) and O(password), or O(access_key) and O(secret_key). The entry of C(clouds.yaml) that O(cloud) names.
    The variables E(OS_TOKEN), or E(OS_USERNAME) or E(OS_USER_ID) with E(OS_PASSWORD), or E(OS_ACCESS_KEY) and
    E(OS_SECRET_KEY), of which E(OS_AUTH_TYPE) chooses. The entry of C(clouds.yaml) that E(OS_CLOUD) names. The
    variables E(HUAWEICLOUD_SDK_AK) and E(HUAWEICLOUD_SDK_SK), then the file that E(HUAWEICLOUD_SDK_CREDENTIALS_FILE)
    names, or C(~/.huaweicloud/credentials). The entry of a C(clouds.yaml) that has just one. The guide lists every
    variable.
  - Project, region and identity service come from the same source where the options do not name them. If the options
    hold the credentials, they come from the entry that O(cloud) names, or else from the environment.
  - The variables that say where DRS is, E(OS_DRS_ENDPOINT_OVERRIDE), E(OS_INTERFACE) and
    E(HUAWEICLOUD_SDK_REGION_DRS_<REGION>), count only with credentials from the variables or the file that they belong
    to. They never lead credentials from the options or from C(clouds.yaml) elsewhere.
  - A user name with its password is exchanged for a token before anything else. A wrong password is tried once only,
    because an account is locked after a few. So is the renewal of a token that ends during the run. Should it fail, for
    whatever reason, the run stops.
  - A job is resumed by the service itself, three times, or without end while the network is down. One that shows as
    failed is past that. All the same it is looked at again just before its retry.
  - Neither vendor publishes a limit for how often these calls may be made, so none is applied unless O(rate_limit) sets
    one. When the service answers that it is asked too often, the module waits and tries again.
options:
  project_id:
    description:
      - The id of the project.
      - This or O(project_name) is needed, here or in the source of the credentials.
    type: str
  project_name:
    description:
      - The name of the project, for example V(eu-de) or V(eu-de_shop). It is not used if O(project_id) is given.
      - With O(access_key) or O(auth_token) its id is asked of the identity service, which must know exactly one.
    type: str
  db_use_type:
    description:
      - The kinds of jobs to look at. V(cloudDataGuard) is disaster recovery.
      - With O(job_ids) it does not matter.
    type: list
    elements: str
    choices: [migration, sync, cloudDataGuard]
    default: [migration, sync, cloudDataGuard]
  job_ids:
    description:
      - Exactly these jobs, whatever O(since) and O(until) say. Repeated ids count once, and their order is kept.
      - V([]) means that there is nothing to do, and sends nothing.
    type: list
    elements: str
    aliases: [ids]
  include_paused:
    description:
      - Also jobs that a person paused, which a retry resumes. They are not judged, since nothing made them fail.
    type: bool
    default: false
  is_sync_re_edit:
    description:
      - Sent with each retry if it is set. Leave it out for an ordinary retry.
      - The vendors' pages disagree about it. Their Chinese page and SDK say that it is V(true) to start a
        synchronisation whose objects were changed. Other jobs may refuse it with C(DRS.M00401).
      - An info module accepts and ignores it, so that both modules take the same options.
    type: bool
  endpoint:
    description:
      - The endpoint of DRS, for example V(drs.eu-de.otc.t-systems.com), optionally with scheme and port. Version and
        project may stand behind it.
      - The default is what the source of the credentials names, that is E(OS_DRS_ENDPOINT_OVERRIDE),
        C(drs_endpoint_override) of C(clouds.yaml) or E(HUAWEICLOUD_SDK_REGION_DRS_<REGION>), then what the service
        catalog names, which comes with the token for a password, then what follows from the region, which is known for
        V(eu-de), V(eu-nl) and the regions of Huawei Cloud.
    type: str
  region:
    description:
      - The region, for example V(eu-de).
      - The default is E(OS_REGION_NAME), or C(region_name) of C(clouds.yaml), then what O(auth_url) tells.
    type: str
  auth_url:
    description:
      - The identity service, for example V(https://iam.eu-de.otc.t-systems.com/v3).
      - The default is E(OS_AUTH_URL), E(HUAWEICLOUD_SDK_IAM_ENDPOINT) or C(auth_url) of C(clouds.yaml), then what
        follows from the region.
    type: str
  username:
    description:
      - The name of the user.
    type: str
  password:
    description:
      - The password of the user.
    type: str
  user_domain_name:
    description:
      - The domain of the user, for example V(OTC-EU-DE-00000000001000012345), which the console shows as the account.
    type: str
  auth_token:
    description:
      - A token for the project that you have already. It is used as it is and cannot be renewed.
    type: str
  access_key:
    description:
      - The access key (AK). Each request is signed with its secret key, and no token is asked for.
    type: str
  secret_key:
    description:
      - The secret key (SK) that belongs to O(access_key). It is never sent. The clock of the machine that runs the
        module must be right.
    type: str
  security_token:
    description:
      - The token that belongs to O(access_key), when the key is a temporary one.
    type: str
  cloud:
    description:
      - The entry of C(clouds.yaml) to use. The file is the one that E(OS_CLIENT_CONFIG_FILE) names, or is looked for in
        the current folder, C(~/.config/openstack) and C(/etc/openstack) of the machine that runs the module.
        C(secure.yaml) beside it is read as well.
    type: str
"""
