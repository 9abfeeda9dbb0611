#include "kernmill/tasks/learn/train/session.hpp"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/storage/file/nesting.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/support/json.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using Clock = CheckpointSchedule::Clock;

// A checkpoint is settled in two of the calls after each step. Where steps take longer than this it is not
// left until then.
constexpr std::chrono::seconds long_step{1};

}  // namespace

Session::Session(const Communicator& comm, CheckpointPolicy policy, bool talks)
    : comm_(comm),
      policy_(std::move(policy)),
      talks_(talks && comm.is_root()),
      begun_(Clock::now()),
      schedule_(policy_.interval, begun_),
      step_began_(begun_) {
  if (!policy_.directory.empty())
    writer_.emplace(comm_.handle(), policy_.directory, policy_.retention, policy_.key, policy_.transport);
}

/// Whether a checkpoint is of these settings and these data.
bool Session::belongs_here(const std::string& text) const {
  if (storage::nests_deeper_than(text, storage::most_levels)) return false;
  const Json state = Json::parse(text, nullptr, false);
  return state.is_object() && state.contains("identity") && state.at("identity") == policy_.identity;
}

std::optional<storage::Checkpoint> Session::resume() {
  if (policy_.directory.empty()) return std::nullopt;
  storage::LoadedCheckpoint loaded =
      storage::load_newest_checkpoint(comm_.handle(), policy_.directory, policy_.key);
  if (talks_) {
    for (const std::string& reason : loaded.skipped) fmt::print("passed over checkpoint {}\n", reason);
  }
  if (!loaded.found) return std::nullopt;
  if (!belongs_here(loaded.checkpoint.state)) {
    if (talks_) fmt::print("starting anew: the checkpoint belongs to other settings or other data\n");
    return std::nullopt;
  }
  if (talks_) fmt::print("continuing from step {}\n", loaded.checkpoint.step);
  return std::move(loaded.checkpoint);
}

unsigned Session::wishes() const {
  unsigned wishes = stop_was_signalled() ? wish_to_stop : 0U;
  if (!writer_ || !comm_.is_root()) return wishes;
  const auto now = Clock::now();
  if (schedule_.due_at(now)) wishes |= wish_to_save;
  if (writer_->written_here() && now - step_began_ > long_step) wishes |= wish_to_settle;
  return wishes;
}

void Session::after_step(std::uint64_t step, unsigned wishes,
                         const std::function<storage::Checkpoint()>& state) {
  const bool stop = (wishes & wish_to_stop) != 0;
  if (writer_) {
    tell((wishes & wish_to_settle) != 0 ? writer_->finish() : writer_->poll());
    if (stop || schedule_.due_at(step) || (wishes & wish_to_save) != 0) save(step, stop, state);
  }
  if (talks_) std::fflush(stdout);
  if (stop) throw Stopped{};
  step_began_ = Clock::now();
}

void Session::save(std::uint64_t step, bool stop, const std::function<storage::Checkpoint()>& state) {
  tell(writer_->finish());
  const auto start = Clock::now();
  schedule_.begun(start);
  try {
    begin(step, state);
  } catch (const storage::Error& e) {
    if (stop) throw;
    tell(storage::CheckpointOutcome{step, e.what(), 0});
    return;
  }
  stall_ = Clock::now() - start;
  if (!stop) return;
  const auto outcome = writer_->finish();
  if (!outcome->error.empty()) throw storage::Error(outcome->error);
  if (talks_) fmt::print("stopped on request; a checkpoint of step {} is written\n", step);
}

void Session::begin(std::uint64_t step, const std::function<storage::Checkpoint()>& state) {
  const storage::Checkpoint checkpoint = state();
  const std::string text = Json{{"identity", policy_.identity}}.dump();
  writer_->start(step, text, storage::boxes_of(checkpoint.tensors));
}

void Session::tell(const std::optional<storage::CheckpointOutcome>& ended) {
  if (!ended) return;
  if (ended->error.empty()) {
    schedule_.learn(stall_, CheckpointSchedule::Seconds(ended->seconds));
  } else if (talks_) {
    fmt::print(stderr, "warning: there is no checkpoint of step {}: {}. Training goes on\n", ended->step,
               ended->error);
  }
}

void Session::finish() {
  if (writer_) tell(writer_->finish());
}

void Session::progress(bool last, const std::function<std::string()>& line) {
  if (!talks_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!last && last_line_ && now - *last_line_ < std::chrono::seconds(1)) return;
  last_line_ = now;
  fmt::print("{}\n", line());
  std::fflush(stdout);
}

void Session::judge(const Reading& reading) {
  if (!talks_ || has_complained_) return;
  const std::chrono::duration<double> since_begin = Clock::now() - begun_;
  const auto complaint = complaint_about(reading, since_begin.count());
  if (!complaint) return;
  has_complained_ = true;
  fmt::print(stderr, "warning: {}\n", *complaint);
}

void Session::check_finite(double loss, std::uint64_t step, const char* step_name) const {
  if (std::isfinite(loss)) return;
  throw Diverged(
      fmt::format("the loss became {} in {} {}", std::isnan(loss) ? "not a number" : "infinite", step_name,
                  step),
      {},
      "lower optimizer.learning_rate, scale the features (scale: standard in the preprocess stage), or "
      "look for huge values in the data");
}

}  // namespace kernmill::tasks
