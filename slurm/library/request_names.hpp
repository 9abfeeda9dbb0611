#pragma once
#include <cstdint>
#include <string>

namespace kernmill::slurm {

/// The name of a kind of request to the controller, as sdiag prints it; "REQUEST_1234" for one that is not
/// known here.
inline std::string request_name(std::uint32_t type) {
  switch (type) {
    case 1002:
      return "MESSAGE_NODE_REGISTRATION_STATUS";
    case 1008:
      return "REQUEST_PING";
    case 1021:
      return "REQUEST_LICENSE_INFO";
    case 2001:
      return "REQUEST_BUILD_INFO";
    case 2003:
      return "REQUEST_JOB_INFO";
    case 2007:
      return "REQUEST_NODE_INFO";
    case 2009:
      return "REQUEST_PARTITION_INFO";
    case 2021:
      return "REQUEST_JOB_INFO_SINGLE";
    case 2024:
      return "REQUEST_RESERVATION_INFO";
    case 2035:
      return "REQUEST_STATS_INFO";
    case 2039:
      return "REQUEST_JOB_USER_INFO";
    case 3001:
      return "REQUEST_UPDATE_JOB";
    case 4003:
      return "REQUEST_SUBMIT_BATCH_JOB";
    case 4012:
      return "REQUEST_JOB_WILL_RUN";
    case 5001:
      return "REQUEST_JOB_STEP_CREATE";
    case 5018:
      return "REQUEST_COMPLETE_BATCH_SCRIPT";
    case 5023:
      return "REQUEST_JOB_REQUEUE";
    case 5032:
      return "REQUEST_KILL_JOB";
    default:
      return "REQUEST_" + std::to_string(type);
  }
}

}  // namespace kernmill::slurm
