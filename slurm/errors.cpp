#include "errors.hpp"

#include <cerrno>

#include <fmt/format.h>

namespace kernmill::slurm {
namespace {

const char* advice(Reason reason) {
  switch (reason) {
    case Reason::no_answer:
      return "the controller may be restarting: `scontrol ping` shows whether it is back; the request may or "
             "may not "
             "have been carried out";
    case Reason::standby:
      return "a backup controller is taking over: try again in a minute";
    case Reason::version:
      return "the plug-in was built for another release of Slurm: build it again "
             "(cmake --build BUILD --target kernmill_slurm)";
    case Reason::authentication:
      return "munge has to run on this machine with the key of the cluster: `munge -n | unmunge` tests it";
    case Reason::queue_full:
      return "the controller keeps no more jobs at the moment (MaxJobCount in `scontrol show config`): try "
             "again when "
             "some have ended";
    case Reason::policy_limit:
      return "a limit of your account or QOS is reached (`sacctmgr show assoc where user=$USER`): it passes "
             "when your "
             "other jobs have ended, unless the job alone is above it";
    case Reason::changing:
      return "the job is between two states: try again in a few seconds";
    case Reason::disabled:
      return "the administrators have stopped submissions for now: try again later";
    case Reason::partition:
      return "`sinfo` lists the partitions; `scontrol show partition` says who may use them";
    case Reason::account:
      return "`sacctmgr show assoc where user=$USER` lists the accounts that you may charge";
    case Reason::qos:
      return "`sacctmgr show assoc where user=$USER format=account,qos` lists what you may use";
    case Reason::time_limit:
      return "ask for less time, or for a partition with a longer limit (`sinfo -o '%P %l'`)";
    case Reason::never_fits:
      return "no nodes of the partition could ever satisfy it: compare with `sinfo -o '%P %D %c %m %G %f'`";
    case Reason::array:
      return "indices lie below MaxArraySize (`scontrol show config`)";
    case Reason::dependency:
      return "a job that it waits for is not known, or waits for this one";
    case Reason::gres:
      return "`sinfo -o '%N %G'` lists the devices";
    case Reason::licenses:
      return "`scontrol show licenses` lists them";
    case Reason::reservation:
      return "`scontrol show reservation` lists them and who may use them";
    case Reason::feature:
      return "`sinfo -o '%N %f'` lists the features";
    case Reason::not_allowed:
      return "only its owner or an administrator may do that";
    case Reason::unknown_job:
      return "it has ended so long ago that Slurm has forgotten it, or it never was";
    case Reason::already_ended:
      return "it has ended already";
    case Reason::not_pending:
      return "that can be changed only while the job waits in the queue";
    case Reason::other:
      return "";
  }
  return "";
}

/// What the controller said about a job, a partition, an account.
Reason reason_of_refusal(int code) {
  switch (code) {
    case 2007:
    case 2016:
      return Reason::queue_full;
    case 2000:
    case 2001:
    case 2003:
    case 2004:
    case 2070:
    case 2101:
    case 2130:
      return Reason::partition;
    case 2002:
      return Reason::not_allowed;
    case 2005:
    case 2006:
    case 2014:
    case 2015:
    case 2069:
      return Reason::never_fits;
    case 2017:
      return Reason::unknown_job;
    case 2020:
    case 2103:
      return Reason::changing;
    case 2021:
    case 2084:
      return Reason::already_ended;
    case 2027:
      return Reason::standby;
    case 2029:
      return Reason::feature;
    case 2038:
    case 2071:
      return Reason::dependency;
    case 2045:
      return Reason::account;
    case 2048:
      return Reason::licenses;
    case 2050:
      return Reason::policy_limit;
    case 2051:
    case 8000:
      return Reason::time_limit;
    case 2052:
    case 2053:
    case 2055:
    case 2056:
      return Reason::reservation;
    case 2066:
      return Reason::qos;
    case 2072:
    case 2119:
    case 2134:
      return Reason::gres;
    case 2073:
    case 2083:
      return Reason::not_pending;
    case 2081:
      return Reason::array;
    case 2105:
      return Reason::disabled;
    default:
      return Reason::other;
  }
}

}  // namespace

Reason reason_of(int code) {
  if (code == EAGAIN) return Reason::queue_full;
  if (code == 1005 || code == 1006) return Reason::version;
  if (code == 1007 || (code >= 6000 && code < 7000)) return Reason::authentication;
  const bool is_of_system = code > 0 && code < 1000;  // ECONNREFUSED, ETIMEDOUT, ...
  if (is_of_system || (code >= 1000 && code < 1900) || (code >= 5000 && code < 6000))
    return Reason::no_answer;
  return reason_of_refusal(code);
}

ClusterError::Kind kind_of(Reason reason) {
  switch (reason) {
    case Reason::no_answer:
    case Reason::standby:
    case Reason::version:
    case Reason::authentication:
      return ClusterError::Kind::unavailable;
    case Reason::queue_full:
    case Reason::policy_limit:
    case Reason::changing:
    case Reason::disabled:
      return ClusterError::Kind::busy;
    case Reason::unknown_job:
      return ClusterError::Kind::unknown_job;
    default:
      return ClusterError::Kind::rejected;
  }
}

ClusterError make_error(Reason reason, const std::string& action, const std::string& text, int code) {
  const bool is_silent = kind_of(reason) == ClusterError::Kind::unavailable;
  const char* hint = advice(reason);
  return {kind_of(reason), fmt::format("cannot {}: Slurm {}: {} (error {}){}{}", action,
                                       is_silent ? "cannot be asked" : "refuses", text, code,
                                       *hint == '\0' ? "" : "; ", hint)};
}

}  // namespace kernmill::slurm
