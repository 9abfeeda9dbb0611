#pragma once
#include <string>

#include "kernmill/scheduler/cluster.hpp"

namespace kernmill::slurm {

/// What Slurm's error numbers mean to those who submit.
enum class Reason {
  no_answer,       ///< connection refused, timed out, or cut off
  standby,         ///< this controller is a backup that is not in charge
  version,         ///< the controller speaks another protocol
  authentication,  ///< munge does not run, or its keys differ
  queue_full,      ///< MaxJobCount, or the controller cannot take more at the moment
  policy_limit,    ///< a limit of an association or a QOS
  changing,        ///< the job is between two states
  disabled,        ///< submissions are switched off for a while
  partition,
  account,
  qos,
  time_limit,
  never_fits,  ///< no set of nodes could ever satisfy it
  array,
  dependency,
  gres,
  licenses,
  reservation,
  feature,
  not_allowed,
  unknown_job,
  already_ended,
  not_pending,
  other,
};

/// What an error number of Slurm (or of the system) means. Numbers are the same in all releases.
Reason reason_of(int code);

ClusterError::Kind kind_of(Reason reason);

/// `action`: "submit iris.fit", "cancel job 12"; `text`: Slurm's own words; `code`: its number.
ClusterError make_error(Reason reason, const std::string& action, const std::string& text, int code);

}  // namespace kernmill::slurm
