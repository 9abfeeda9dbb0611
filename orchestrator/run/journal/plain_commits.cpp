#include "kernmill/run/journal/plain_commits.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

using Length = std::uint32_t;
constexpr std::size_t most_bytes = std::numeric_limits<std::uint32_t>::max();
/// Numbers of instances beyond this are damage rather than instances: a table of places would be huge.
constexpr unsigned most_instances = 1U << 27U;
constexpr std::size_t least_rows = 1'000;  // of a large stage, in a snapshot

std::optional<std::int64_t> moment_of(const std::string& text) {
  return text.empty() ? PlainCommit::no_time : milliseconds_of(text);
}

/// Rounded up, so that what is known stays so.
std::uint32_t kib(std::uint64_t bytes) {
  constexpr std::uint64_t unit = 1024, most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(most, bytes / unit + (bytes % unit > 0 ? 1 : 0)));
}

bool is_plain(const InstanceRecord& instance) {
  if (instance.skipped || instance.attempts.size() != 1) return false;
  const AttemptRecord& only = instance.attempts.front();
  return only.number > 0 && only.state == AttemptState::committed && only.cached_from.empty() &&
         only.message.empty() && only.exit_code == 0 && only.signal == 0 && only.counts &&
         only.other_inputs.empty() && only.mem_factor == 1.0 && only.time_factor == 1.0;
}

}  // namespace

std::uint32_t TextBlock::add(std::string_view text, bool repeats) {
  if (text.empty()) return 0;
  if (repeats)
    if (const auto known = known_.find(std::string(text)); known != known_.end()) return known->second;
  if (bytes_.empty()) bytes_.assign(sizeof(Length), '\0');  // the empty one
  const auto number = static_cast<std::uint32_t>(bytes_.size());
  const auto length = static_cast<Length>(text.size());
  bytes_.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
  if (repeats) known_.emplace(text, number);
  return number;
}

std::string_view TextBlock::at(std::uint32_t number) const {
  if (number == 0) return {};
  Length length = 0;
  if (number + sizeof length > bytes_.size()) throw std::invalid_argument("no such text");
  std::memcpy(&length, bytes_.data() + number, sizeof length);
  const std::size_t begin = number + sizeof length;
  if (length > bytes_.size() - begin) throw std::invalid_argument("a text is cut short");
  return std::string_view(bytes_).substr(begin, length);
}

bool TextBlock::has_room(std::size_t bytes) const {
  return bytes + 64 < most_bytes - bytes_.size();
}

void TextBlock::restore(std::string bytes) {
  bytes_ = std::move(bytes);
  known_.clear();
}

void PlainCommits::Stage::index() {
  place.assign(rows.empty() ? 0 : rows.back().instance + std::size_t{1}, 0);
  for (std::size_t row = 0; row < rows.size(); ++row)
    place[rows[row].instance] = static_cast<std::uint32_t>(row + 1);
}

bool PlainCommits::take(const std::string& stage, unsigned index, const InstanceRecord& instance,
                        std::string_view metrics, std::string_view artifacts) {
  if (index >= most_instances || !is_plain(instance)) return false;
  const AttemptRecord& only = instance.attempts.front();
  const auto submitted = moment_of(only.submitted_at), started = moment_of(only.started_at),
             ended = moment_of(only.ended_at);
  if (!submitted || !started || !ended || *ended == PlainCommit::no_time) return false;
  if (!texts_.has_room(only.slot.size() + only.node.size() + instance.why.size() + metrics.size() +
                       artifacts.size() + only.warning.size()))
    return false;
  Stage& rows = stages_[stage];
  if (rows.place.size() <= index) rows.place.resize(std::max<std::size_t>(index + 1, rows.place.size() * 2));
  rows.rows.push_back({.submitted = *submitted,
                       .started = *started,
                       .ended = *ended,
                       .instance = index,
                       .attempt = only.number,
                       .slot = texts_.add(only.slot, true),
                       .node = texts_.add(only.node, true),
                       .why = texts_.add(instance.why, true),
                       .metrics = texts_.add(metrics, false),
                       .artifacts = texts_.add(artifacts, false),
                       .warning = texts_.add(only.warning, true),
                       .peak_kib = kib(only.peak_memory)});
  rows.place[index] = static_cast<std::uint32_t>(rows.rows.size());
  return true;
}

const PlainCommit* PlainCommits::find(const std::string& stage, unsigned index) const {
  const auto found = stages_.find(stage);
  if (found == stages_.end() || index >= found->second.place.size()) return nullptr;
  const std::uint32_t place = found->second.place[index];
  return place == 0 ? nullptr : &found->second.rows[place - 1];
}

void PlainCommits::remove(const std::string& stage, unsigned index) {
  Stage& rows = stages_.find(stage)->second;
  rows.rows[rows.place[index] - 1].attempt = 0;
  rows.place[index] = 0;
  ++rows.removed;
}

void PlainCommits::finish() {
  for (auto& [name, stage] : stages_) {
    if (stage.removed > 0) std::erase_if(stage.rows, [](const PlainCommit& row) { return row.attempt == 0; });
    stage.removed = 0;
    std::sort(stage.rows.begin(), stage.rows.end(),
              [](const PlainCommit& a, const PlainCommit& b) { return a.instance < b.instance; });
    stage.index();
    PlainSummary& summary = summaries_[name] = {};
    for (const PlainCommit& row : stage.rows) {
      summary.instances.append(row.instance);
      const std::int64_t begin = row.submitted == PlainCommit::no_time ? row.started : row.submitted;
      if (begin != PlainCommit::no_time) summary.begin = std::min(summary.begin, begin);
      summary.end = std::max(summary.end, row.ended);
      summary.warnings += row.warning == 0 ? 0 : 1;
    }
  }
}

std::vector<std::pair<std::string, unsigned>> PlainCommits::singular() const {
  std::vector<std::pair<std::string, unsigned>> found;
  for (const auto& [name, stage] : stages_) {
    const std::size_t spelt_out = stage.rows.size() < least_rows ? stage.rows.size() : 1;
    for (std::size_t i = stage.rows.size() - spelt_out; i < stage.rows.size(); ++i)
      found.emplace_back(name, stage.rows[i].instance);
  }
  return found;
}

const PlainSummary* PlainCommits::summary(const std::string& stage) const {
  const auto found = summaries_.find(stage);
  return found == summaries_.end() ? nullptr : &found->second;
}

const std::vector<PlainCommit>& PlainCommits::rows(const std::string& stage) const {
  static const std::vector<PlainCommit> none;
  const auto found = stages_.find(stage);
  return found == stages_.end() ? none : found->second.rows;
}

/// Lines of the journal are checked when they are read; rows come from a snapshot, too.
void PlainCommits::add_leavings(const PlainCommit& row, InstanceRecord& instance) const try {
  if (row.metrics != 0) instance.metrics = parse_json(texts_.at(row.metrics));
  if (!instance.metrics.is_object()) throw std::invalid_argument("metrics are a map");
  if (row.artifacts != 0)
    for (const Json& artifact : parse_json(texts_.at(row.artifacts)))
      instance.artifacts.push_back(artifact_from_json(artifact));
} catch (const std::exception& error) {
  throw std::runtime_error(
      fmt::format("the snapshot of the journal is damaged: what instance {} left cannot be read: {}; remove "
                  "journal/snapshot of the run, and it is made again",
                  row.instance, plain_words(error)));
}

InstanceRecord PlainCommits::record(const PlainCommit& row, bool with_times) const {
  InstanceRecord instance;
  instance.committed = true;
  instance.why = texts_.at(row.why);
  add_leavings(row, instance);
  AttemptRecord& only = instance.attempts.emplace_back();
  only.number = row.attempt;
  only.started = true;
  only.state = AttemptState::committed;
  only.slot = texts_.at(row.slot);
  only.node = texts_.at(row.node);
  only.warning = texts_.at(row.warning);
  only.peak_memory = std::uint64_t{row.peak_kib} * 1024;
  if (!with_times) return instance;
  only.submitted_at = moment_text(row.submitted);
  only.started_at = moment_text(row.started);
  only.ended_at = moment_text(row.ended);
  return instance;
}

void PlainCommits::restore(std::map<std::string, std::vector<PlainCommit>>&& rows, TextBlock texts) {
  for (auto& [name, list] : rows) {
    Stage& stage = stages_[name];
    stage.rows = std::move(list);
    const auto is_before = [](const PlainCommit& a, const PlainCommit& b) { return a.instance < b.instance; };
    if (!std::is_sorted(stage.rows.begin(), stage.rows.end(), is_before) ||
        (!stage.rows.empty() && stage.rows.back().instance >= most_instances))
      throw std::invalid_argument("a number of an instance is out of range");
    stage.index();
  }
  texts_ = std::move(texts);
}

std::string moment_text(std::int64_t milliseconds) {
  constexpr std::int64_t most =
      std::int64_t{7'258'118'400'000};  // the year 2200; a snapshot may hold anything
  if (milliseconds < -most || milliseconds > most) return {};
  return utc_timestamp(std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds)));
}

}  // namespace kernmill
