#include "kernmill/tasks/learn/session.hpp"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/tasks/support/json.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

std::optional<storage::Checkpoint> Session::resume() {
  if (policy_.directory.empty()) return std::nullopt;
  storage::LoadedCheckpoint loaded = storage::load_newest_checkpoint(comm_.handle(), policy_.directory);
  if (talks_) {
    for (const std::string& reason : loaded.skipped) fmt::print("passed over checkpoint {}\n", reason);
  }
  if (!loaded.found) return std::nullopt;
  const Json state = Json::parse(loaded.checkpoint.state, nullptr, false);
  if (!state.is_object() || state.value("identity", "") != policy_.identity) {
    if (talks_) fmt::print("starting anew: the checkpoint belongs to other settings or other data\n");
    return std::nullopt;
  }
  if (talks_) fmt::print("continuing from step {}\n", loaded.checkpoint.step);
  return std::move(loaded.checkpoint);
}

void Session::after_step(std::uint64_t step, bool stop, const std::function<storage::Checkpoint()>& state) {
  const bool due = policy_.every > 0 && step % policy_.every == 0;
  if (!policy_.directory.empty() && (stop || due)) {
    storage::Checkpoint checkpoint = state();
    checkpoint.step = step;
    checkpoint.state = Json{{"identity", policy_.identity}}.dump();
    storage::write_checkpoint(comm_.handle(), policy_.directory, checkpoint, {policy_.keep});
    if (stop && talks_) fmt::print("stopped on request; a checkpoint of step {} is written\n", step);
  }
  if (talks_) std::fflush(stdout);
  if (stop) throw Stopped{};
}

void Session::progress(bool last, const std::function<std::string()>& line) {
  if (!talks_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!last && last_line_ && now - *last_line_ < std::chrono::seconds(1)) return;
  last_line_ = now;
  fmt::print("{}\n", line());
  std::fflush(stdout);
}

void Session::check_finite(double loss, std::uint64_t step, const char* step_name) const {
  if (std::isfinite(loss)) return;
  throw TaskError(
      fmt::format("the loss became {} in {} {}", std::isnan(loss) ? "not a number" : "infinite", step_name,
                  step),
      {},
      "lower optimizer.learning_rate, scale the features (scale: standard in the preprocess stage), or "
      "look for huge values in the data");
}

}  // namespace kernmill::tasks
