# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Built-in rules for failed jobs of the Data Replication Service (DRS) of Open Telekom Cloud and Huawei Cloud.

Sources: the API reference of Open Telekom Cloud ("Error codes", "Task statuses"), its user guide (task life cycle,
FAQs), and the cases of Huawei Cloud's DRS troubleshooting guide, whose titles are the texts below. The vendor resumes a
job by itself, three times, or without end while the network is down: a job that shows as failed is past that.

Exact codes come before message patterns; the first rule that a job meets wins. Among the patterns, what can never heal
comes first, then what a person must repair, then what may pass: a lost connection is often only what came of a refused
login or a full disk. Gaps in patterns are bounded, so that no text takes long.
"""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.module_utils._classify import rule
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass

# A qualified name takes up to 2 * 64 characters and some quotes.
_NAME = ".{0,150}"


def _either(*codes: str) -> tuple[str, ...]:
    """The codes as they are and with the prefix that some replies put before them."""
    return (*codes, *(f"DRS.{code}" for code in codes))


RULES = (
    rule(
        "drs.too_frequent",
        FailureClass.TRANSIENT,
        "DRS took the calls for too frequent. If it comes back, retry fewer jobs at a time.",
        codes=_either("M01503"),
    ),
    rule(
        "drs.service_error",
        FailureClass.TRANSIENT,
        "DRS failed by its own fault. If it comes back, look at the vendor's status page and open a ticket.",
        codes=_either("M00004", "M01501"),
    ),
    rule(
        "drs.other_operation",
        FailureClass.TRANSIENT,
        "Another operation on the job was under way. If it still is after some minutes, look at the job in the"
        " console.",
        codes=_either("M01504"),
    ),
    rule(
        "drs.wrong_state",
        FailureClass.FIX,
        "The job's state does not allow the operation. Look at the job in the console and at which actions it offers"
        " there, then retry if it has failed.",
        codes=_either("M00304"),
    ),
    rule(
        "drs.wrong_level",
        FailureClass.FIX,
        "The operation is for the other level of a job with children: a dual-active parent is refused, and some calls"
        " take only the parent. Retry with the ids of the child jobs, or with that of the parent.",
        codes=_either("M00307", "M00308"),
    ),
    rule(
        "drs.database_login",
        FailureClass.FIX,
        "User or password of the source or destination database is wrong. Check whether the password was changed or the"
        " account locked, correct the connection in the job, then retry.",
        codes=_either("KE0002"),
    ),
    rule(
        "drs.database_instance",
        FailureClass.FIX,
        "The database instance is invalid or cannot be read. Check in the console that it exists, is running and"
        " belongs to this project, then retry.",
        codes=_either("M05006", "M06007", "M06011"),
    ),
    rule(
        "drs.destination_held",
        FailureClass.FIX,
        "Another job has switched the destination between read-only and read/write and still holds it; its id is in the"
        " text. Finish or stop that job, then retry.",
        codes=_either("M06020", "M06021"),
    ),
    rule(
        "drs.job_gone",
        FailureClass.GONE,
        "The job is deleted, or its resources are released: it cannot run again. Create a new one if the data is still"
        " needed; it starts with the full load.",
        codes=_either("M00289", "M05003", "M05004"),
    ),
    # The service writes the state into the code where the API gives no reason, unless the vendor itself offers RETRY.
    rule(
        "drs.state_not_retryable",
        FailureClass.FIX,
        "This is no failed transfer but a failed creation, start, change, release, rebuild or upgrade, and whether a"
        " retry applies to it is not established. Look at the job in the console and take the action that is offered"
        " there.",
        codes=(
            "CREATE_FAILED",
            "START_JOB_FAILED",
            "RELEASE_RESOURCE_FAILED",
            "CHANGE_JOB_FAILED",
            "CHILD_TRANSFER_FAILED",
            "REBUILD_NODE_FAILED",
            "NODE_UPGRADE_FAILED",
        ),
    ),
    # -- never again. Before the missing objects: a missing slot or log is no missing table.
    rule(
        "drs.binlog_unreadable",
        FailureClass.GONE,
        "DRS cannot parse the source's binlog: its copy of the table definitions is not complete, mostly after a DDL"
        " statement it does not understand. Open a ticket with the vendor, or recreate the job without the table.",
        contains=("binlog parse fail", "data dictionary may be not complete"),
    ),
    rule(
        "drs.source_logs_cleared",
        FailureClass.GONE,
        "The source has cleared logs that the job had not read yet: it can never go on from where it stopped. Lengthen"
        " the retention of binlog or WAL in the source, then reset or recreate the job, which loads everything again.",
        # A table may be called "binlog": not what stands in quotes.
        regex=r"Must seek before attempting to read next event|maybe has been deleted"
        rf"|replication slot\b{_NAME}\bdoes not exist"
        rf"|(?<![\w\"'`.])binlog\b{_NAME}\b(?:purged|not exist(?:s|ed)?)\b"
        r"|purged (?:required )?binary logs|Could not find first log file",
    ),
    # -- what a person must repair. Before the lost connections: these often end in one.
    rule(
        "drs.access_denied",
        FailureClass.FIX,
        "A database refused the login or lacks a grant. The text says which user, and on what: grant it, or correct"
        " user and password in the job, then retry.",
        regex=r"Access denied(?: for user|; you need)|not authorized|permission denied",
    ),
    rule(
        "drs.cannot_connect",
        FailureClass.FIX,
        "DRS cannot log in to the database at all. Test the connection in the job: address, port, user, password, SSL,"
        " the database's access list and its security group. Then retry.",
        contains=("Unable to connect to DBMS",),
    ),
    rule(
        "drs.agency",
        FailureClass.FIX,
        "The IAM agency that lets DRS act for the account is missing or was changed. Restore it in IAM, then retry.",
        regex=r"\bcan ?not get agency token",
    ),
    rule(
        "drs.job_frozen",
        FailureClass.FIX,
        "The job is frozen, mostly because the account's balance is used up. Pay, wait until the job is released, then"
        " retry.",
        # PostgreSQL speaks of frozen transaction ids and rows.
        regex=r"\b(?:job|task|account|order)\b.{0,60}\bfrozen\b|insufficient (?:account )?balance",
    ),
    rule(
        "drs.disk_full",
        FailureClass.FIX,
        "A disk is full, or a temporary file grew past temp_file_limit. Look at the storage of both databases, enlarge"
        " it or raise the limit, then retry.",
        regex=r"No space left|\berrno: 28\b|temp_file_limit"
        rf"|\b(?:table|tablespace|disk|space|storage)\b{_NAME}\bis full\b",
    ),
    rule(
        "drs.destination_read_only",
        FailureClass.FIX,
        "The destination does not take writes. Switch off read-only, or innodb_force_recovery, in its parameters; a"
        " full disk also switches it on. Then retry.",
        regex=r"--(?:super-)?read-only|super[-_]read[-_]only|innodb_force_recovery",
    ),
    rule(
        "drs.duplicate_row",
        FailureClass.FIX,
        "A row that DRS wants to write is in the destination already: somebody else writes there. Stop that, remove the"
        " row that the text names, then retry.",
        contains=("Duplicate entry",),
    ),
    rule(
        "drs.object_drift",
        FailureClass.FIX,
        "A table, column or function differs between source and destination: mostly somebody changed the destination."
        " Repair the object that the text names after the source's definition, then retry.",
        regex=rf"\b(?:table|relation|function|column|schema)\b{_NAME}\b(?:doesn.t|does not) exist\b"
        r"|\balready exists\b|Unknown table|Unknown column|\bmore columns\b|\bcolumn count\b|Can't DROP",
    ),
    rule(
        "drs.object_incompatible",
        FailureClass.FIX,
        "The destination cannot hold an object as the source has it. Change the object that the text names, or take it"
        " out of the job, then retry.",
        regex=r"Unknown collation|Too many keys|Failed to add (?:the )?foreign key|Can't find file"
        r"|Extract db create sql failed",
    ),
    # The vendor's case says: correct the documents and resume.
    rule(
        "drs.bson_field_name",
        FailureClass.FIX,
        "A field name in the source's documents has a character that DDS does not take, such as a dot or a dollar sign."
        " Rename the field in the source, then retry; recreate the job without the collection if that does not help.",
        contains=("Invalid BSON field name",),
    ),
    rule(
        "drs.source_log_format",
        FailureClass.FIX,
        "The source does not log what DRS needs. Set binlog_format to ROW and binlog_row_image to FULL in the source"
        " and end its old sessions, then retry. What was logged before may need a reset of the job.",
        regex=r"\bIndex: \d{1,5}, Size: \d{1,5}\b|binlog_format",
    ),
    rule(
        "drs.destination_ssl",
        FailureClass.FIX,
        "SSL is off in the destination, yet the job uses it. Switch it on there, or off in the job, then retry.",
        regex=rf"\bwrite table\b{_NAME}\bfailed: null\b",
    ),
    rule(
        "drs.kafka",
        FailureClass.FIX,
        "The Kafka topic or its brokers do not answer as the job expects. Check that topic, partitions and brokers are"
        " in order and that the job's settings match, then retry. Where that does not help, the vendor resets the job.",
        contains=("not present in metadata", "Failed to construct kafka producer"),
    ),
    # -- what may pass
    rule(
        "drs.background_process",
        FailureClass.TRANSIENT,
        "A process of the DRS node died; it comes back by itself within five minutes. If the job still fails after"
        " that, open a ticket with the vendor.",
        contains=("core process is not healthy", "background process is unavailable"),
    ),
    rule(
        "drs.network",
        FailureClass.TRANSIENT,
        "The connection to a database broke. If it comes back, check VPN, security groups and the database's access"
        " list: all must let the DRS node's IP address pass.",
        contains=(
            "Communications link failure",
            "Read timed out",
            "EOF Packet received",
            "Can not read response from server",
            "Connection reset",
            "Connection refused",
        ),
    ),
    rule(
        "drs.mongodb_unreachable",
        FailureClass.TRANSIENT,
        "MongoDB did not answer or is restarting. If it comes back, check that each member of the replica set or shard"
        " is up and lets the DRS node's IP address pass.",
        regex=r"Timed out after .{0,40}while waiting|Prematurely reached end of stream",
    ),
    rule(
        "drs.database_busy",
        FailureClass.TRANSIENT,
        "A database was too busy or rows were locked. If it comes back, look for long transactions and retry in an hour"
        " of low load.",
        regex=r"Lock wait timeout exceeded|Deadlock found|database log download failed|split table shard occur"
        rf"|\b(?:read|shard) table\b{_NAME}\bfailed\b",
    ),
    rule(
        "drs.node_memory",
        FailureClass.TRANSIENT,
        "The DRS node ran out of memory. One retry may do. If it fails again, look for very large rows, and give the"
        " job a bigger node or less concurrency before you retry again.",
        contains=("Java heap space", "GC overhead limit"),
    ),
    rule(
        "drs.connection_slots",
        FailureClass.TRANSIENT,
        "The database has no free connection. One retry may do. If it fails again, raise max_connections or end idle"
        " sessions before you retry again.",
        contains=("remaining connection slots are reserved",),
    ),
    # The last of all: a position with a GTID stands in texts about other things too.
    rule(
        "drs.gtid",
        FailureClass.FIX,
        "The GTIDs of source and job do not agree. Check that gtid_mode of the source is as it was when the job was"
        " created and that its GTID set holds the job's, then retry. If the mode was changed, recreate the job.",
        regex=r"\bGTID",
    ),
)
