#include "kernmill/tasks/learn/monitor/monitor.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>

#include <unistd.h>

#include "kernmill/base/timestamp.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::size_t values_of_rank = 5;
constexpr std::array<const char*, values_of_rank> value_names{
    "compute_seconds", "communication_seconds", "input_seconds", "checkpoint_seconds", "memory"};

/// Bytes of this process that are in memory.
double resident_memory() {
  std::uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// What is not known is left out.
void add(Json& line, const char* name, double value) {
  if (std::isfinite(value)) line[name] = value;
}

void add(Json& line, const char* name, std::uint64_t value) {
  if (value > 0) line[name] = value;
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Monitor::Monitor(const Communicator& comm, MonitorSettings settings, Clock clock)
    : comm_(comm),
      settings_(std::move(settings)),
      clock_(std::move(clock)),
      file_(comm.is_root() ? settings_.file : std::filesystem::path()),
      begun_(clock_()),
      last_(totals()) {}

Monitor::Totals Monitor::totals() const {
  return {clock_(), comm_.seconds_waited(), input_, checkpoint_};
}

void Monitor::begin(std::uint64_t step) {
  now_.step = step;
  Json about = {{"attempt", settings_.attempt},
                {"from_step", step},
                {"ranks", comm_.size()},
                {"time", utc_timestamp()}};
  about.update(settings_.about);
  file_.append({{"schema_version", schema_version}, {"begin", std::move(about)}});
  pace_.note(step, clock_() - begun_);
}

void Monitor::tell(const Progress& progress) {
  now_ = progress;
  is_full_batch_ = progress.epoch == 0;
  if (progress.ends_period && !is_full_batch_) losses_.push_back(progress.loss);
}

void Monitor::note(const Reading& reading) {
  double& known = sources_[&reading];
  input_ += reading.seconds < known ? reading.seconds : reading.seconds - known;  // another one in its place
  known = reading.seconds;
  reads_again_ = reads_again_ || reading.again;
}

double Monitor::interval(double now) const {
  constexpr double shortest = 0.05, share_of_all = 1.0 / 300, times_its_cost = 200;
  return std::max({shortest, share_of_all * (now - begun_), times_its_cost * cost_});
}

bool Monitor::is_due() const {
  const double now = clock_();
  return now - last_.clock >= interval(now);
}

bool Monitor::is_overdue() const {
  const double now = clock_();
  return now - last_.clock >= 10 * interval(now);
}

Json Monitor::where() const {
  Json line = {{"schema_version", schema_version}, {"time", utc_timestamp()}, {"step", now_.step}};
  const bool is_converging = std::isfinite(now_.goal_norm);
  add(line, now_.may_end_before ? "most_steps" : "steps", now_.steps);
  add(line, "epoch", now_.epoch);
  add(line, now_.may_end_before ? "most_epochs" : "epochs", now_.epochs);
  add(line, is_full_batch_ ? "objective" : "loss", now_.loss);
  add(line, "accuracy", now_.accuracy);
  add(line, "validation_loss", now_.held_out_loss);
  add(line, "rate", now_.rate);
  add(line, "gradient_norm", now_.gradient_norm);
  add(line, "goal_norm", now_.goal_norm);
  const auto left = pace_.left(now_.steps);
  if (left && !is_converging)
    line["left"] = {{"seconds", left->seconds}, {"low", left->low}, {"high", left->high}};
  return line;
}

void Monitor::write_line() {
  const Totals now = totals();
  const double all = now.clock - last_.clock, waited = now.waited - last_.waited,
               input = now.input - last_.input, checkpoint = now.checkpoint - last_.checkpoint;
  const std::array<double, values_of_rank> own{std::max(0.0, all - waited - input - checkpoint), waited,
                                               input, checkpoint, resident_memory()};
  const std::vector<std::uint64_t> counts(static_cast<std::size_t>(comm_.size()), own.size());
  const auto values = comm_.allgatherv(std::span<const double>(own), std::span<const std::uint64_t>(counts));
  if (comm_.is_root()) {
    pace_.note(now_.step, now.clock - begun_);
    Json line = where();
    line["seconds"] = all;
    if (all > 0) add(line, "rows_per_second", static_cast<double>(now_.rows - line_rows_) / all);
    add_ranks(line, values);
    file_.append(line);
  }
  last_ = now;
  line_step_ = now_.step;
  line_rows_ = now_.rows;
  ++lines_;
  cost_ = std::max(clock_() - now.clock, cost_ / 2);
}

void Monitor::add_ranks(Json& line, const std::vector<double>& values) {
  const auto ranks = static_cast<std::size_t>(comm_.size());
  for (std::size_t i = 0; i < values_of_rank; ++i) {
    double least = values[i], most = values[i], sum = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      const double value = values[rank * values_of_rank + i];
      least = std::min(least, value);
      most = std::max(most, value);
      sum += value;
    }
    const std::string name = value_names.at(i);
    line[name] = sum / static_cast<double>(ranks);
    line[name + "_min"] = least;
    line[name + "_max"] = most;
  }
  ranks_.resize(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const double* const of = values.data() + rank * values_of_rank;
    ranks_[rank] += {of[0], of[1], of[2], of[3]};
  }
}

void Monitor::end(const std::string& how) {
  file_.append({{"schema_version", schema_version},
                {"end", {{"how", how}, {"step", now_.step}, {"time", utc_timestamp()}}}});
}

Training Monitor::training() const {
  Training training;
  training.ranks = ranks_;
  training.rows = now_.rows;
  training.reads_again = reads_again_;
  training.losses = losses_;
  training.stops_early = std::isfinite(now_.held_out_loss);
  training.ended_short = now_.step > 0 && now_.step == now_.steps && now_.gradient_norm > now_.goal_norm;
  return training;
}

}  // namespace kernmill::tasks
