#include "kernmill/tasks/learn/train/session.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/file/nesting.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/learn/train/balance.hpp"
#include "kernmill/tasks/support/json.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using Clock = CheckpointSchedule::Clock;

// A checkpoint is settled in two of the calls after each step. Where steps take longer than this it is not
// left until then.
constexpr std::chrono::seconds long_step{1};

constexpr const char* one_kind_of_node =
    "run it on nodes of one kind (resources: {constraint: ...}), or with the same kernels (env: "
    "{OPENBLAS_CORETYPE: Haswell}), or leave `exact: true` out, if other bits will do";

/// An identity but for what a user changes when a training has diverged.
Json without_rate(const std::string& identity) {
  Json all = Json::parse(identity, nullptr, false);
  if (!all.is_object() || !all.contains("config") || !all["config"].is_object()) return identity;
  Json& optimizer = all["config"]["optimizer"];
  if (optimizer.is_object())
    for (const char* key : {"learning_rate", "schedule", "clip_norm"}) optimizer.erase(key);
  return all;
}

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

bool is_finite(const storage::Checkpoint& checkpoint) {
  return std::all_of(checkpoint.tensors.begin(), checkpoint.tensors.end(), [](const storage::Tensor& tensor) {
    const auto values = tensor.data.as<double>();
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  });
}

}  // namespace

Session::Session(const Communicator& comm, CheckpointPolicy policy, bool talks, MonitorSettings monitor)
    : comm_(comm),
      policy_(std::move(policy)),
      talks_(talks && comm.is_root()),
      keeps_metrics_(!monitor.file.empty()),
      begun_(Clock::now()),
      schedule_(policy_.interval, begun_),
      step_began_(begun_),
      monitor_(comm, std::move(monitor)) {
  if (!policy_.directory.empty())
    writer_.emplace(comm_.handle(), policy_.directory, policy_.retention, policy_.key, policy_.transport);
}

void require_one_kind(const std::set<std::string>& products) {
  if (products.size() > 1)
    throw TaskError(fmt::format("the ranks multiply in different ways, by {}: the bits of the model would "
                                "depend on which rank does what",
                                fmt::join(products, " and ")),
                    {}, one_kind_of_node);
}

/// Whether a checkpoint is of these settings and these data.
bool Session::belongs_here(const std::string& text) const {
  if (storage::nests_deeper_than(text, storage::most_levels)) return false;
  const Json state = Json::parse(text, nullptr, false);
  if (!state.is_object() || !state.contains("identity")) return false;
  const Json& theirs = state.at("identity");
  if (theirs == policy_.identity) return true;
  return policy_.after_divergence && theirs.is_string() &&
         without_rate(theirs.get<std::string>()) == without_rate(policy_.identity);
}

std::optional<storage::Checkpoint> Session::resume() {
  auto checkpoint = newest_checkpoint();
  monitor_.begin(checkpoint ? checkpoint->step : 0);
  return checkpoint;
}

std::optional<storage::Checkpoint> Session::newest_checkpoint() {
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
  take_over_products(loaded.checkpoint);
  if (talks_) fmt::print("continuing from step {}\n", loaded.checkpoint.step);
  return std::move(loaded.checkpoint);
}

/// What was computed by other kernels than this attempt's is known from then on.
void Session::take_over_products(const storage::Checkpoint& checkpoint) {
  const auto before = Json::parse(checkpoint.state).value("products", std::set<std::string>());
  if (before.empty() || before == policy_.products) return;  // not there in checkpoints from before
  const std::string what = fmt::format(
      "the checkpoint of step {} was computed by {}, and this attempt computes by {}: the model has not the "
      "bits that either alone would give it",
      checkpoint.step, fmt::join(before, " and "), fmt::join(policy_.products, " and "));
  if (policy_.is_exact) throw TaskError(what, {}, one_kind_of_node);
  if (talks_) fmt::print(stderr, "warning: {}. Training goes on\n", what);
  policy_.products.insert(before.begin(), before.end());
}

unsigned Session::wishes() const {
  unsigned wishes = stop_was_signalled() ? wish_to_stop : 0U;
  if (!comm_.is_root()) return wishes;
  if (talks_ && monitor_.is_due()) wishes |= wish_to_tell | (monitor_.is_overdue() ? wish_to_tell_now : 0U);
  if (!writer_) return wishes;
  const auto now = Clock::now();
  if (schedule_.due_at(now)) wishes |= wish_to_save;
  if (writer_->written_here() && now - step_began_ > long_step) wishes |= wish_to_settle;
  return wishes;
}

void Session::after_step(std::uint64_t step, unsigned wishes,
                         const std::function<storage::Checkpoint()>& state) {
  const bool stop = (wishes & wish_to_stop) != 0;
  tell_file(wishes);
  if (writer_) {
    const auto begun = Clock::now();
    tell((wishes & wish_to_settle) != 0 ? writer_->finish() : writer_->poll());
    const bool is_due = schedule_.due_at(step) || (wishes & wish_to_save) != 0;
    if (stop || (is_due && !loss_watch_.is_high())) save(step, stop, state);
    monitor_.note_checkpoint(seconds_since(begun));
  }
  if (talks_) std::fflush(stdout);
  if (stop && talks_) monitor_.end("stopped");
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
  if (!is_finite(checkpoint))
    diverge(fmt::format("values of step {} are not finite any more: no checkpoint is written of them", step));
  const std::string text = Json{{"identity", policy_.identity}, {"products", policy_.products}}.dump();
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

void Session::tell(const Progress& progress) {
  monitor_.tell(progress);
  if (!progress.ends_period) return;
  switch (loss_watch_.take(progress.loss)) {
    case LossWatch::Verdict::well:
      return;
    case LossWatch::Verdict::astray:
      if (talks_ && !has_warned_)
        fmt::print(stderr,
                   "warning: the loss has grown to {:.4g}, and was {:.4g} at best: it may be diverging. No "
                   "checkpoint is written as long as it is so high. A lower optimizer.learning_rate, or "
                   "clip_norm, helps\n",
                   progress.loss, loss_watch_.best());
      has_warned_ = true;
      return;
    case LossWatch::Verdict::lost:
      diverge(fmt::format("the loss has grown to {:.4g} by step {}, and was {:.4g} at best", progress.loss,
                          progress.step, loss_watch_.best()));
  }
}

/// A line of metrics where one is due. The first period always has one.
void Session::tell_file(unsigned wishes) {
  const bool ends = monitor_.progress().ends_period;
  const bool is_due = (wishes & (wish_to_stop | wish_to_tell_now)) != 0 ||
                      (ends && ((wishes & wish_to_tell) != 0 || !monitor_.has_line()));
  if (keeps_metrics_ && is_due && !monitor_.has_line_of_now()) monitor_.write_line();
}

void Session::finish() {
  if (writer_) {
    const auto begun = Clock::now();
    tell(writer_->finish());
    monitor_.note_checkpoint(seconds_since(begun));
  }
  if (!keeps_metrics_) return;
  monitor_.write_line();
  if (!comm_.is_root()) return;
  monitor_.end("done");
  summary_ = summary_of(monitor_.training());
  for (const std::string& line : summary_) fmt::print("{}\n", line);
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
  monitor_.note(reading);
  if (!talks_ || has_complained_) return;
  const std::chrono::duration<double> since_begin = Clock::now() - begun_;
  const auto complaint = complaint_about(reading, since_begin.count());
  if (!complaint) return;
  has_complained_ = true;
  fmt::print(stderr, "warning: {}\n", *complaint);
}

void Session::tell_shares(const LeafShares& shares) const {
  if (!talks_) return;
  fmt::print("balance: of {} pieces of the rows {}\n", shares.back().end, text_of(shares));
  std::fflush(stdout);
}

void Session::check_finite(double loss, std::uint64_t step, const char* step_name,
                           const std::function<std::string()>& where) {
  if (std::isfinite(loss)) return;
  diverge(fmt::format("the loss became {} in {} {}{}", std::isnan(loss) ? "not a number" : "infinite",
                      step_name, step, where ? ": " + where() : ""));
}

void Session::diverge(const std::string& what) {
  if (writer_) tell(writer_->finish());
  if (keeps_metrics_ && comm_.is_root()) monitor_.end("diverged");
  std::string help =
      "lower optimizer.learning_rate, scale the features (scale: standard in the preprocess stage), or look "
      "for huge values in the data";
  if (writer_ && keeps_metrics_)
    help += "; `kernmill resume --with` a workflow of a lower rate goes on from the last checkpoint";
  throw Diverged(what, {}, help);
}

}  // namespace kernmill::tasks
