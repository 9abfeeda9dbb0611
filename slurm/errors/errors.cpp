#include "kernmill/slurm/errors/errors.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include "kernmill/slurm/errors/error_numbers.hpp"

namespace kernmill::slurm {
namespace {

using Kind = ClusterError::Kind;

struct Meaning {
  Reason reason;
  Kind kind;
  const char* way_out;  ///< "": the error's own words say all
};

constexpr Meaning meanings[] = {
    {Reason::no_answer, Kind::unavailable,
     "the controller may be restarting: `scontrol ping` shows whether it is back; the request may or may not "
     "have been carried out"},
    {Reason::standby, Kind::unavailable, "a backup controller is taking over: try again in a minute"},
    {Reason::version, Kind::unavailable,
     "the plug-in was built for another release of Slurm: build it again (cmake --build BUILD --target "
     "kernmill_slurm)"},
    {Reason::authentication, Kind::unavailable,
     "munge has to run on this machine with the key of the cluster: `munge -n | unmunge` tests it"},
    {Reason::queue_full, Kind::busy,
     "the controller keeps no more jobs at the moment (MaxJobCount in `scontrol show config`): try again "
     "when some have ended"},
    {Reason::policy_limit, Kind::busy,
     "a limit of your account or QOS is reached (`sacctmgr show assoc where user=$USER`): it passes when "
     "your other jobs have ended, unless the job alone is above it"},
    {Reason::changing, Kind::busy, "the job is between two states: try again in a few seconds"},
    {Reason::disabled, Kind::busy, "the administrators have stopped submissions for now: try again later"},
    {Reason::partition, Kind::rejected,
     "`sinfo` lists the partitions; `scontrol show partition` says who may use them"},
    {Reason::account, Kind::rejected,
     "`sacctmgr show assoc where user=$USER` lists the accounts that you may charge"},
    {Reason::qos, Kind::rejected,
     "`sacctmgr show assoc where user=$USER format=account,qos` lists what you may use"},
    {Reason::time_limit, Kind::rejected,
     "ask for less time, or for a partition with a longer limit (`sinfo -o '%P %l'`)"},
    {Reason::never_fits, Kind::rejected,
     "no nodes of the partition could ever satisfy it: compare with `sinfo -o '%P %D %c %m %G %f'`"},
    {Reason::array, Kind::rejected, "indices lie below MaxArraySize (`scontrol show config`)"},
    {Reason::dependency, Kind::rejected, "a job that it waits for is not known, or waits for this one"},
    {Reason::gres, Kind::rejected, "`sinfo -o '%N %G'` lists the devices"},
    {Reason::licenses, Kind::rejected, "`scontrol show licenses` lists them"},
    {Reason::reservation, Kind::rejected, "`scontrol show reservation` lists them and who may use them"},
    {Reason::feature, Kind::rejected, "`sinfo -o '%N %f'` lists the features"},
    {Reason::not_allowed, Kind::rejected, "only its owner or an administrator may do that"},
    {Reason::unknown_job, Kind::unknown_job,
     "it has ended so long ago that Slurm has forgotten it, or it never was"},
    {Reason::already_ended, Kind::rejected, "it has ended already"},
    {Reason::not_pending, Kind::rejected, "that can be changed only while the job waits in the queue"},
    {Reason::other, Kind::rejected, ""},
};

/// A row for each reason, where its number says.
constexpr bool are_in_order() {
  for (std::size_t row = 0; row < std::size(meanings); ++row)
    if (meanings[row].reason != static_cast<Reason>(row)) return false;
  return std::size(meanings) == static_cast<std::size_t>(Reason::other) + 1;
}
static_assert(are_in_order());

const Meaning& meaning_of(Reason reason) {
  return meanings[static_cast<std::size_t>(reason)];
}

struct Numbers {
  int first, last;
  Reason reason;
};

/// Single numbers, then what is true of the rest of a range: the first row that holds a number counts.
// clang-format off
constexpr Numbers numbers[] = {
    {EAGAIN, EAGAIN, Reason::queue_full},
#define KERNMILL_ROW(number, name, reason) {number, number, Reason::reason},
    KERNMILL_SLURM_ERRORS(KERNMILL_ROW)
#undef KERNMILL_ROW
    {1, 999, Reason::no_answer},      // of the system: ECONNREFUSED, ETIMEDOUT, ...
    {1000, 1899, Reason::no_answer},  // of messages, and of the way to slurmctld
    {5000, 5999, Reason::no_answer},  // of sockets
    {6000, 6999, Reason::authentication},
};
// clang-format on

}  // namespace

Reason reason_of(int code) {
  const auto* row = std::find_if(std::begin(numbers), std::end(numbers), [code](const Numbers& one) {
    return one.first <= code && code <= one.last;
  });
  return row == std::end(numbers) ? Reason::other : row->reason;
}

ClusterError::Kind kind_of(Reason reason) {
  return meaning_of(reason).kind;
}

ClusterError make_error(Reason reason, const std::string& action, const std::string& text, int code) {
  const auto& [_, kind, way_out] = meaning_of(reason);
  return {kind, fmt::format("cannot {}: Slurm {}: {} (error {}){}{}", action,
                            kind == Kind::unavailable ? "cannot be asked" : "refuses", text, code,
                            *way_out == '\0' ? "" : "; ", way_out)};
}

}  // namespace kernmill::slurm
