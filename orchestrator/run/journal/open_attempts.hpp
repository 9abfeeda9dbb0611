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

/// `<run>/<stage>/<index>/<attempt>`: what every process of an attempt has in KERNMILL_TOKEN.
std::string attempt_token(const std::string& run, const std::string& stage, unsigned index, unsigned attempt);

/// Ends the processes of an attempt, wherever they hang in the process tree. Throws std::runtime_error when
/// they were started on another host, where this process cannot see them.
void end_processes(const std::string& run, const OpenAttempt& open, const std::string& this_host);

/// Settles what a conductor that is gone left open: ends the processes of its open attempts, and then
/// journals those that did not commit in the meantime as abandoned. Returns what the journal says afterwards.
/// `abandoned` hears of each. The caller holds the conductor's lock.
RunRecord settle_open_attempts(const RunDirectory& run, JournalWriter& journal, const std::string& this_host,
                               const std::function<void(const OpenAttempt&)>& abandoned = {});

}  // namespace kernmill
