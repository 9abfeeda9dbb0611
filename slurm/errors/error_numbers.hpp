#pragma once
/// Slurm's error numbers that mean something to those who submit: X(number, Slurm's name for it, Reason).
///
/// A list for the preprocessor, so that errors.cpp reads the numbers without Slurm's headers, and
/// errors_check.cpp compares each with what the headers say of its name. A number has two rows where its name
/// has changed.
// clang-format off
#define KERNMILL_SLURM_ERRORS(X) \
  X(1005, SLURM_PROTOCOL_VERSION_ERROR, version) \
  X(1006, SLURM_PROTOCOL_IO_STREAM_VERSION_ERROR, version) \
  X(1007, SLURM_PROTOCOL_AUTHENTICATION_ERROR, authentication) \
  X(2000, ESLURM_INVALID_PARTITION_NAME, partition) \
  X(2001, ESLURM_DEFAULT_PARTITION_NOT_SET, partition) \
  X(2002, ESLURM_ACCESS_DENIED, not_allowed) \
  X(2003, ESLURM_JOB_MISSING_REQUIRED_PARTITION_GROUP, partition) \
  X(2004, ESLURM_REQUESTED_NODES_NOT_IN_PARTITION, partition) \
  X(2005, ESLURM_TOO_MANY_REQUESTED_CPUS, never_fits) \
  X(2006, ESLURM_INVALID_NODE_COUNT, never_fits) \
  X(2007, ESLURM_ERROR_ON_DESC_TO_RECORD_COPY, queue_full) \
  X(2007, ESLURM_MAX_JOB_COUNT, queue_full) \
  X(2014, ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE, never_fits) \
  X(2015, ESLURM_REQUESTED_PART_CONFIG_UNAVAILABLE, never_fits) \
  X(2016, ESLURM_NODES_BUSY, queue_full) \
  X(2017, ESLURM_INVALID_JOB_ID, unknown_job) \
  X(2020, ESLURM_TRANSITION_STATE_NO_UPDATE, changing) \
  X(2021, ESLURM_ALREADY_DONE, already_ended) \
  X(2027, ESLURM_IN_STANDBY_MODE, standby) \
  X(2029, ESLURM_INVALID_FEATURE, feature) \
  X(2038, ESLURM_DEPENDENCY, dependency) \
  X(2045, ESLURM_INVALID_ACCOUNT, account) \
  X(2048, ESLURM_INVALID_LICENSES, licenses) \
  X(2050, ESLURM_ACCOUNTING_POLICY, policy_limit) \
  X(2051, ESLURM_INVALID_TIME_LIMIT, time_limit) \
  X(2052, ESLURM_RESERVATION_ACCESS, reservation) \
  X(2053, ESLURM_RESERVATION_INVALID, reservation) \
  X(2055, ESLURM_RESERVATION_BUSY, reservation) \
  X(2056, ESLURM_RESERVATION_NOT_USABLE, reservation) \
  X(2066, ESLURM_INVALID_QOS, qos) \
  X(2069, ESLURM_INVALID_CPU_COUNT, never_fits) \
  X(2070, ESLURM_PARTITION_NOT_AVAIL, partition) \
  X(2071, ESLURM_CIRCULAR_DEPENDENCY, dependency) \
  X(2072, ESLURM_INVALID_GRES, gres) \
  X(2073, ESLURM_JOB_NOT_PENDING, not_pending) \
  X(2081, ESLURM_INVALID_ARRAY, array) \
  X(2083, ESLURM_JOB_STARTED, not_pending) \
  X(2084, ESLURM_JOB_FINISHED, already_ended) \
  X(2101, ESLURM_PARTITION_DOWN, partition) \
  X(2103, ESLURM_JOB_SETTING_DB_INX, changing) \
  X(2105, ESLURM_SUBMISSIONS_DISABLED, disabled) \
  X(2119, ESLURM_INVALID_GRES_TYPE, gres) \
  X(2130, ESLURM_PARTITION_ASSOC, partition) \
  X(2134, ESLURM_INSUFFICIENT_GRES, gres) \
  X(8000, ESLURM_MISSING_TIME_LIMIT, time_limit)
// clang-format on
