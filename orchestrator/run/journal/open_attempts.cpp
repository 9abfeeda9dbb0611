#include "kernmill/run/journal/open_attempts.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/os/process.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/replay.hpp"

namespace kernmill {
namespace {

void check_host(const OpenAttempt& open, const std::string& this_host) {
  const std::string& host = open.attempt.exec.host;
  if (host.empty() || host == this_host) return;
  throw std::runtime_error(fmt::format(
      "attempt {} of {}[{}] was started on {}, where its processes may still run; resume the run there",
      open.attempt.number, open.stage, open.index, host));
}

/// Those that cannot be ended do nothing any more, but for a write that they have begun: the next attempt has
/// a folder of its own.
std::string end_processes(const RunDirectory& run, const std::vector<OpenAttempt>& open) {
  std::map<int, TreeMember> left;
  const auto end = [&](int pid, std::uint64_t start_time, const std::string& token) {
    // Whoever has had his time once gets no more of it.
    const auto limit = left.empty() ? longest_end : std::chrono::seconds(1);
    for (const TreeMember& member : end_tree(pid, start_time, token, limit)) left[member.pid] = member;
  };
  end(0, 0, run_token(run));
  for (const auto& [stage, index, attempt] : open)
    for (const ProcessIdentity& root : {attempt.exec, attempt.step})
      if (is_alive(root.pid, root.start_time)) end(root.pid, root.start_time, "");
  std::vector<TreeMember> all;
  all.reserve(left.size());
  for (const auto& [pid, member] : left) all.push_back(member);
  return still_there_text(all);
}

/// Whether the job of a pack may still run, with instances that have not begun.
bool may_run(const PackRecord& pack, const RunRecord& record) {
  for (const PackRecord::Range& range : pack.attempts)
    for (unsigned index = range.first; index <= range.last; ++index) {
      const InstanceRecord* known = record.find(pack.stage, index);
      if (known != nullptr && known->handed_out == range.attempt && !has_settled(*known)) return true;
    }
  return false;
}

bool some_pack_may_run(const RunRecord& record) {
  return std::any_of(record.packs.begin(), record.packs.end(),
                     [&](const PackRecord& pack) { return may_run(pack, record); });
}

}  // namespace

std::vector<OpenAttempt> open_attempts(const RunRecord& record) {
  std::vector<OpenAttempt> open;
  for (const auto& [key, instance] : record.instances)
    for (const AttemptRecord& attempt : instance.attempts)
      if (attempt.state == AttemptState::open) open.push_back({key.first, key.second, attempt});
  return open;
}

std::vector<OpenAttempt> newest_open_attempts(const RunRecord& record) {
  std::vector<OpenAttempt> open;
  for (const auto& [key, instance] : record.instances)
    if (!instance.attempts.empty() && instance.attempts.back().started &&
        instance.attempts.back().state == AttemptState::open)
      open.push_back({key.first, key.second, instance.attempts.back()});
  return open;
}

std::string run_token(const RunDirectory& run) {
  return run.root().string() + "/";
}

std::string attempt_token(const RunDirectory& run, const std::string& stage, unsigned index,
                          unsigned attempt) {
  return fmt::format("{}{}/{}/{}", run_token(run), stage, index, attempt);
}

RunRecord settle_open_attempts(const RunDirectory& run, JournalWriter& journal, const std::string& this_host,
                               const std::function<void(const OpenAttempt&)>& abandoned) {
  RunRecord record = fold_journal(run.journal());
  const auto open = open_attempts(record);
  for (const OpenAttempt& attempt : open) check_host(attempt, this_host);
  const std::string stuck = end_processes(run, open);
  if (open.empty() && !some_pack_may_run(record)) return record;
  // Only now is nobody left who could still commit.
  record = fold_journal(run.journal());
  const auto left = open_attempts(record);
  for (const OpenAttempt& attempt : left) {
    const std::string why = !attempt.attempt.started ? "submitted by a conductor that is gone; never started"
                            : stuck.empty()          ? "its conductor was gone; ended on resume"
                                                     : "its conductor was gone; " + stuck;
    journal.append(
        to_record(events::Abandoned{{attempt.stage, attempt.index, attempt.attempt.number}, {}, why}));
    if (abandoned) abandoned(attempt);
  }
  return left.empty() ? record : fold_journal(run.journal());
}

}  // namespace kernmill
