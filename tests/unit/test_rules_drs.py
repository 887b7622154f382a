# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each built-in rule of DRS meets realistic texts, and a near miss does not meet it."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import classify
from ansible_collections.redrive.tasks.plugins.module_utils._rules.drs import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass
from unit.fakes import task

FIX, GONE, TRANSIENT = FailureClass.FIX, FailureClass.GONE, FailureClass.TRANSIENT

CODES = {
    "drs.too_frequent": (TRANSIENT, "M01503"),
    "drs.service_error": (TRANSIENT, "M00004 M01501"),
    "drs.other_operation": (TRANSIENT, "M01504"),
    "drs.wrong_state": (FIX, "M00304"),
    "drs.wrong_level": (FIX, "M00307 M00308"),
    "drs.database_login": (FIX, "KE0002"),
    "drs.database_instance": (FIX, "M05006 M06007 M06011"),
    "drs.destination_held": (FIX, "M06020 M06021"),
    "drs.job_gone": (GONE, "M00289 M05003 M05004"),
}
STATES = (
    "CREATE_FAILED",
    "START_JOB_FAILED",
    "RELEASE_RESOURCE_FAILED",
    "CHANGE_JOB_FAILED",
    "CHILD_TRANSFER_FAILED",
    "REBUILD_NODE_FAILED",
    "NODE_UPGRADE_FAILED",
)

# What follows "service ... failed, cause by: " in a job's error text, or stands there alone.
TEXTS = {
    "drs.binlog_unreadable": (
        GONE,
        [
            "binlog parse fail, data dictionary may be not complete! tableName: orders, databaseName: shop",
            "the data dictionary may be not complete",
        ],
    ),
    "drs.source_logs_cleared": (
        GONE,
        [
            "Extract THL file fail! Must seek before attempting to read next event",
            "timeout when get next file log, maybe has been deleted, please check it.",
            "The replication slot does not exist and the task is not started for the first time.",
            'ERROR: replication slot "drs_4f1c" does not exist',
            "binlog is not existed",
            "the binlog mysql-bin.000042 of the source does not exist",
            "binlog 'mysql-bin.000042' has been purged",
            "the master has purged binary logs containing GTIDs that the slave requires.",
            "Cannot replicate because the source purged required binary logs.",
            "Could not find first log file name in binary log index file",
        ],
    ),
    "drs.access_denied": (
        FIX,
        [
            "Access denied for user 'drs'@'192.168.0.7' (using password: YES)",
            "Access denied; you need (at least one of) the SUPER privilege(s) for this operation",
            "Command failed with error 13: 'not authorized on admin to execute command { listDatabases: 1 }'",
            "ERROR: permission denied for schema shop",
        ],
    ),
    "drs.cannot_connect": (FIX, ["Unable to connect to DBMS: url=jdbc:postgresql://192.168.0.7:5432/shop user=root"]),
    "drs.agency": (FIX, ["can not get agency token, please check the agency", "cannot get agency token"]),
    "drs.job_frozen": (
        FIX,
        [
            "The job has been frozen.",
            "The account is frozen, so the task cannot go on",
            "Insufficient account balance",
            "insufficient balance",
        ],
    ),
    "drs.disk_full": (
        FIX,
        [
            "Error writing file '/tmp/MY3x' (Errcode: 28 - No space left on device)",
            "Error writing file './shop/orders.ibd' (errno: 28 - device out of room)",
            "[type=index, schema_name=shop]reason:[ERROR: temporary file size exceeds temp_file_limit (20000000kB)]",
            "The table 'shop/orders' is full",
            "The disk of the destination database is full.",
        ],
    ),
    "drs.destination_read_only": (
        FIX,
        [
            "The MySQL server is running with the --super-read-only option so it cannot execute this statement",
            "The MySQL server is running with the --read-only option so it cannot execute this statement",
            "super_read_only is on in the destination",
            "write table `shop`.`orders` failed: Operation not allowed when innodb_force_recovery > 0.",
        ],
    ),
    "drs.duplicate_row": (
        FIX,
        [
            "record tid:4,seqno:9 with PK applied failed in table shop.orders, Duplicate entry '17' for key 'PRIMARY'",
        ],
    ),
    "drs.object_drift": (
        FIX,
        [
            "Table 'shop.orders' doesn't exist",
            'ERROR: relation "shop.orders" does not exist',
            "ERROR: function uuid_generate_v4() does not exist",
            'ERROR: column "colour" of relation "orders" does not exist',
            'ERROR: schema "shop" does not exist',
            "Table 'orders' already exists",
            "Unknown table 'shop.orders'; sql is DROP TABLE orders",
            "Unknown column 'colour' in 'field list'",
            "Check table structure consistency failed: source has more columns than target",
            "Column count doesn't match value count at row 1",
            "Can't DROP 'idx_colour'; check that column/key exists",
        ],
    ),
    "drs.object_incompatible": (
        FIX,
        [
            "Unknown collation: 'utf8mb4_0900_ai_ci'",
            "retry structures failed events: Too many keys specified; max 64 keys allowed",
            "Failed to add the foreign key constraint 'fk_1' to system tables",
            "Failed to add foreign key constraint 'fk_1'",
            "Can't find file: 'orders' (errno: 2 - No such file or directory); sql is: ALTER TABLE orders",
            "Extract db create sql failed",
        ],
    ),
    "drs.bson_field_name": (FIX, ["occur error, msg=Invalid BSON field name price.net"]),
    "drs.source_log_format": (
        FIX,
        [
            "Index: 8, Size: 7",
            "Cannot execute statement: impossible to write to binary log since binlog_format=STATEMENT",
        ],
    ),
    "drs.destination_ssl": (FIX, ["write table `shop`.`orders` failed: null"]),
    "drs.kafka": (
        FIX,
        [
            "Topic shop-orders not present in metadata after 300000 ms.",
            "Failed to construct kafka producer.",
        ],
    ),
    "drs.background_process": (
        TRANSIENT,
        [
            "core process is not healthy or crashed",
            "The background process is unavailable. Maybe it has been killed manually or by the operating system.",
        ],
    ),
    "drs.network": (
        TRANSIENT,
        [
            "Communications link failure The last packet sent successfully to the server was 0 milliseconds ago.",
            "Read timed out",
            "EOF packet received from server.",
            "Can not read response from server. Expected to read 4 bytes, read 0 bytes before connection was lost.",
            "java.net.SocketException: Connection reset",
            "Connection refused. Check that the hostname and port are correct and that the postmaster is accepting",
        ],
    ),
    "drs.mongodb_unreachable": (
        TRANSIENT,
        [
            "Timed out after 60000 ms while waiting to connect. Client view of cluster state is {type=UNKNOWN}",
            "Timed out after 60000 ms while waiting for a server that matches com.mongodb.client.internal",
            "Prematurely reached end of stream",
        ],
    ),
    "drs.database_busy": (
        TRANSIENT,
        [
            "Lock wait timeout exceeded; try restarting transaction",
            "tid:4,seqno:9 with PK applied failed in table shop.orders, Deadlock found when trying to get lock",
            "database log download failed",
            "read table=`shop`.`orders` failed",
            "shard table=`shop`.`orders` failed",
            "error when split table shard occur! Table is shop.orders .Error code is 1.",
        ],
    ),
    "drs.node_memory": (TRANSIENT, ["Java heap space", "GC overhead limit exceeded"]),
    "drs.connection_slots": (
        TRANSIENT,
        [
            "FATAL: remaining connection slots are reserved for non-replication superuser connections",
        ],
    ),
    "drs.gtid": (
        FIX,
        [
            "0-1-42 not illegal for mariaDb gtid position",
            "@@SESSION.GTID_NEXT cannot be set to ANONYMOUS when @@GLOBAL.GTID_MODE = ON.",
        ],
    ),
}

MEETS = [
    *(
        (prefix + code, "", name, kind)
        for name, (kind, codes) in CODES.items()
        for code in codes.split()
        for prefix in ("", "DRS.")
    ),
    *((state, "", "drs.state_not_retryable", FIX) for state in STATES),
    *(
        ("", before + text, name, kind)
        for name, (kind, texts) in TEXTS.items()
        for text in texts
        for before in ("", "service DATAMOVE failed, cause by: ")
    ),
]

NEAR_MISSES = [
    ("drs.too_frequent", "DRS.M01502", ""),
    ("drs.service_error", "M000040", ""),
    ("drs.other_operation", "RDS.M01504", ""),
    ("drs.wrong_state", "M00303", ""),
    ("drs.wrong_level", "M0030", ""),
    ("drs.database_login", "DRS.KE0003", ""),
    ("drs.database_instance", "M05007", ""),
    ("drs.destination_held", "DRS.DRS.M06020", ""),
    ("drs.job_gone", "DRS.M05005", ""),
    # The failed transfers are what a retry is for.
    ("drs.state_not_retryable", "FULL_TRANSFER_FAILED", ""),
    ("drs.state_not_retryable", "INCRE_TRANSFER_FAILED", ""),
    ("drs.state_not_retryable", "", "the earlier state was CREATE_FAILED"),
    ("drs.binlog_unreadable", "", "binlog parser started, data dictionary complete"),
    ("drs.source_logs_cleared", "", "replication slot is active for PID 610"),
    ("drs.source_logs_cleared", "", "the binlog was read and the row written"),
    ("drs.source_logs_cleared", "", "the log may be deleted later"),
    ("drs.access_denied", "", "Access was not denied"),
    ("drs.access_denied", "", "the user is authorized"),
    ("drs.cannot_connect", "", "Unable to connect twice"),
    ("drs.agency", "", "got the agency token"),
    ("drs.job_frozen", "", "found xmin 561 from before relfrozenxid 3000"),
    ("drs.job_frozen", "", "the balance of the shards is insufficient"),
    ("drs.disk_full", "", "Got an error (errno: 281 - unknown)"),
    ("drs.disk_full", "", "the task mode is full and incremental"),
    ("drs.destination_read_only", "", "read only what is needed"),
    ("drs.duplicate_row", "", "Duplicated entries were skipped"),
    ("drs.object_drift", "", "the correlation of both does not exist"),
    ("drs.object_drift", "", "column counter overflow"),
    ("drs.object_drift", "", "more columnstore memory"),
    ("drs.object_incompatible", "", "Too many connections"),
    ("drs.bson_field_name", "", "Invalid BSON document"),
    ("drs.source_log_format", "", "Index: a, Size: b"),
    ("drs.destination_ssl", "", "write table `shop`.`orders` failed: nullable"),
    ("drs.kafka", "", "present in metadata"),
    ("drs.background_process", "", "core process is healthy"),
    ("drs.network", "", "Connection established"),
    ("drs.mongodb_unreachable", "", "Timed out after 60000 ms without waiting"),
    ("drs.database_busy", "", "thread table full of failed jobs"),
    ("drs.database_busy", "", "Lock wait exceeded"),
    ("drs.node_memory", "", "Java stack space"),
    ("drs.connection_slots", "", "connection slots are free"),
    ("drs.gtid", "", "an egtid is none"),
]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Communications link failure: Access denied for user 'drs'@'%'", "drs.access_denied"),
        ("Unable to connect to DBMS: Connection refused", "drs.cannot_connect"),
        ("read table=`shop`.`orders` failed: Table 'shop.orders' doesn't exist", "drs.object_drift"),
        ("write table `shop`.`orders` failed: No space left on device, Connection reset", "drs.disk_full"),
        ("write table `shop`.`orders` failed: Communications link failure", "drs.network"),
        ("Lock wait timeout exceeded at GTID 3e11fa47-71ca-11e1-9e33-c80aa9429562:23", "drs.database_busy"),
        ('relation "binlog" does not exist', "drs.object_drift"),
        ("Table 'shop.binlog' doesn't exist", "drs.object_drift"),
        ("binlog parse fail: the table does not exist", "drs.binlog_unreadable"),
        ("EOF Packet received, the binlog mysql-bin.000042 was purged", "drs.source_logs_cleared"),
    ],
)
def test_of_two_causes_the_one_that_no_retry_heals_wins(message: str, name: str) -> None:
    assert classify(task(message=message), RULES).rule == name


def test_a_long_qualified_name_still_fits_between_the_two_parts() -> None:
    name = f"`{'s' * 64}`.`{'t' * 64}`"
    assert classify(task(message=f"read table={name} failed"), RULES).rule == "drs.database_busy"
    assert classify(task(message=f"Table {name} doesn't exist"), RULES).rule == "drs.object_drift"
