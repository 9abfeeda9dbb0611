#include "kernmill/report/text_output.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/plan/decisions.hpp"
#include "kernmill/report/failure_line.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/shown_streams.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

using What = InstanceEvent::What;

constexpr std::size_t word_width = 9, duration_width = 11;

std::string_view word_of(What what) {
  switch (what) {
    case What::started:
      return "started";
    case What::committed:
      return "done";
    case What::cached:
      return "cached";
    case What::skipped:
      return "skipped";
    case What::failed:
      return "failed";
    case What::retrying:
      return "retrying";
    case What::continued:
      return "continues";
    case What::stopped:
      return "stopped";
    case What::abandoned:
      return "abandoned";
  }
  return "";
}

Color color_of(What what) {
  switch (what) {
    case What::committed:
      return Color::green;
    case What::cached:
      return Color::blue;
    case What::failed:
      return Color::red;
    case What::started:
    case What::skipped:
      return Color::dim;
    default:
      return Color::yellow;
  }
}

bool tells_duration(What what) {
  return what != What::started && what != What::skipped && what != What::abandoned;
}

std::string joined(const std::string& first, const std::string& second) {
  return first + (first.empty() || second.empty() ? "" : "  ") + second;
}

std::string failure_text(const InstanceEvent& event) {
  if (std::string line = failure_line(event.message); !line.empty()) return line;
  return fmt::format("{}, exit status {}", to_string(event.cause), event.exit_code);
}

}  // namespace

TextOutput::TextOutput(std::FILE* stream, TextOptions options, Clock now)
    : stream_(stream), options_(options), now_(std::move(now)), paint_(options.color) {}

bool TextOutput::is_large(std::uint32_t stage) const {
  return !options_.verbose && plan_->instance_count(stage) >= options_.large_stage;
}

bool TextOutput::has_ended(std::uint32_t stage) const {
  std::uint32_t ended = 0;
  for (const State state : {State::finished, State::failed, State::skipped, State::blocked})
    ended += progress_->count(stage, state);
  return ended == plan_->instance_count(stage);
}

void TextOutput::begin(const RunDirectory& run, const Plan& plan, const Progress& progress, bool resumed) {
  plan_ = &plan;
  progress_ = &progress;
  begun_ = now_();
  tallies_.resize(plan.stage_count());
  std::uint64_t settled = 0;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    settled += progress.count(stage, State::finished) + progress.count(stage, State::skipped);
    const std::uint32_t last = plan.instance_count(stage);
    const std::string label =
        is_large(stage) || last == 0 ? plan.stage(stage).name : plan.label({stage, last - 1});
    label_width_ = std::clamp(display_width(label), label_width_, std::size_t{32});
  }
  if (options_.quiet) return;
  write(fmt::format("{}  {}, {}{}{}\n", paint_(Color::bold, run.name()), counted(plan.stage_count(), "stage"),
                    counted(plan.total_instances(), "instance"), plan.all_decided() ? "" : " and more",
                    resumed ? fmt::format("; {} settled before", settled) : ""));
}

void TextOutput::grown(std::uint32_t stage) {
  const Matrix& matrix = plan_->stage(stage).matrix;
  if (options_.quiet || !matrix.problem.empty()) return;
  write(fmt::format(
      "  {}  {}\n", padded(plan_->stage(stage).name, label_width_),
      paint_(Color::dim,
             fmt::format("{}, {}", counted(plan_->instance_count(stage), "instance"), decided_by(matrix)))));
}

void TextOutput::instance(const InstanceEvent& event) {
  Tally& tally = tallies_[event.id.stage];
  if (!tally.begun) tally.first_start = now_();
  tally.begun = true;
  tally.cached += event.what == What::cached ? 1 : 0;
  if (plan_->is_reduce(event.id)) tally.metrics = event.metrics;
  if (event.what == What::started)
    running_.insert(event.id);
  else
    running_.erase(event.id);

  const bool failure = event.what == What::failed || event.what == What::retrying;
  if (failure || (!options_.quiet && (!is_large(event.id.stage) || event.what == What::abandoned)))
    instance_line(event);
  if (!options_.quiet && is_large(event.id.stage) && has_ended(event.id.stage)) stage_line(event.id.stage);
  draw_live();
}

void TextOutput::instance_line(const InstanceEvent& event) {
  if (event.what == What::started && !options_.verbose) return;
  std::optional<std::chrono::duration<double>> took;
  if (tells_duration(event.what)) took = event.took;
  line(plan_->label(event.id), event.what, std::string(word_of(event.what)), took, details(event));
}

std::string TextOutput::details(const InstanceEvent& event) const {
  const std::string values = paint_(Color::dim, values_text(plan_->written_values(event.id)));
  switch (event.what) {
    case What::committed:
    case What::cached:
      return joined(values, metrics_text(plan_->stage(event.id.stage).kind, event.metrics));
    case What::failed:
      return joined(values, failure_text(event));
    case What::retrying:
      return joined(values, fmt::format("attempt {}: {}", event.attempt, failure_text(event)));
    case What::continued:
      return "its time was up; goes on from its checkpoint";
    case What::stopped:
      return "can be resumed";
    default:
      return joined(values, printable_line(event.message));
  }
}

void TextOutput::stage_line(std::uint32_t stage) {
  const Tally& tally = tallies_[stage];
  const std::uint32_t failed = progress_->count(stage, State::failed);
  const std::uint32_t finished = progress_->count(stage, State::finished);
  const std::uint32_t left_out = plan_->instance_count(stage) - failed - finished;
  std::string text = counted(plan_->instance_count(stage), "instance");
  if (tally.cached > 0 && tally.cached < finished) text += fmt::format(", {} cached", tally.cached);
  if (failed > 0) text += fmt::format(", {} failed", failed);
  if (left_out > 0) text += fmt::format(", {} not run", left_out);
  const What what = failed > 0                 ? What::failed
                    : finished == 0            ? What::skipped
                    : tally.cached == finished ? What::cached
                                               : What::committed;
  line(plan_->stage(stage).name, what, std::string(word_of(what)), now_() - tally.first_start,
       joined(paint_(Color::dim, text), metrics_text(plan_->stage(stage).kind, tally.metrics)));
}

void TextOutput::line(const std::string& label, What what, const std::string& word,
                      std::optional<std::chrono::duration<double>> took, const std::string& details) {
  const std::string duration = took ? duration_text(*took) : "";
  std::string text = fmt::format("  {}  {} {}  {}", padded(label, label_width_),
                                 padded(paint_(color_of(what), word), word_width),
                                 padded(duration, duration_width, TextTable::Align::right), details);
  text.erase(text.find_last_not_of(' ') + 1);
  write(text + "\n");
}

void TextOutput::stopping(bool force, std::size_t running) {
  if (running == 0) return write("Stopping.\n");
  const std::string jobs = counted(running, "running instance");
  write(force ? fmt::format("Ending {} at once.\n", jobs)
              : fmt::format("Stopping: {} may still write a checkpoint. Once more to end at once.\n", jobs));
}

void TextOutput::end(const RunResult&) {
  clear_live();
}

std::optional<std::chrono::milliseconds> TextOutput::tick_interval() const {
  if (!options_.live || options_.quiet) return {};
  return std::chrono::seconds{1};
}

void TextOutput::tick() {
  draw_live();
}

void TextOutput::write(const std::string& text) {
  clear_live();
  std::fputs(text.c_str(), stream_);
  std::fflush(stream_);
}

void TextOutput::draw_live() {
  if (!options_.live || options_.quiet) return;
  std::uint64_t settled = 0;
  for (std::uint32_t stage = 0; stage < plan_->stage_count(); ++stage)
    settled += progress_->count(stage, State::finished) + progress_->count(stage, State::skipped);
  std::string names;
  std::size_t shown = 0;
  for (const InstanceId id : running_)
    if (shown++ < 4) names += (names.empty() ? "" : ", ") + plan_->label(id);
  if (running_.size() > 4) names += fmt::format(" and {} more", running_.size() - 4);
  std::string text = fmt::format("  {}/{} done  {}  {}", settled, plan_->total_instances(),
                                 duration_text(std::chrono::floor<std::chrono::seconds>(now_() - begun_)),
                                 running_.empty() ? "" : "running " + names);
  if (text.size() >= options_.width) text.resize(options_.width - 1);
  steer_terminal(stream_, "\r\033[K");
  std::fputs(paint_(Color::dim, text).c_str(), stream_);
  std::fflush(stream_);
  live_drawn_ = true;
}

void TextOutput::clear_live() {
  if (!live_drawn_) return;
  steer_terminal(stream_, "\r\033[K");
  live_drawn_ = false;
}

}  // namespace kernmill
