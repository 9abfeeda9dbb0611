#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// An attempt that was submitted and has no end record: its processes may still run.
struct OpenAttempt {
  std::string stage;
  unsigned index = 0;
  AttemptRecord attempt;
};
std::vector<OpenAttempt> open_attempts(const RunRecord& record);
/// Those among them that have started, and that nothing newer has replaced.
std::vector<OpenAttempt> newest_open_attempts(const RunRecord& record);

/// `<directory of the run>/`, with which the tokens of all its attempts begin. By its path: two runs may have
/// begun within one tick of their names' clock.
std::string run_token(const RunDirectory& run);
/// `<directory of the run>/<stage>/<index>/<attempt>`: what every process of an attempt has in
/// KERNMILL_TOKEN.
std::string attempt_token(const RunDirectory& run, const std::string& stage, unsigned index,
                          unsigned attempt);

/// Settles what a conductor that is gone left open: ends every process of the run that is left here, also of
/// attempts that have committed, and then journals attempts that did not as abandoned. Returns what the
/// journal says afterwards. `abandoned` hears of each. The caller holds the conductor's lock. Throws
/// std::runtime_error, and ends nothing, when attempts were started on another host, where this process
/// cannot see theirs.
RunRecord settle_open_attempts(const RunDirectory& run, JournalWriter& journal, const std::string& this_host,
                               const std::function<void(const OpenAttempt&)>& abandoned = {});

}  // namespace kernmill
