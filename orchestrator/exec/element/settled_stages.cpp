#include "kernmill/exec/element/settled_stages.hpp"

#include <system_error>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/commit_table.hpp"

namespace kernmill::exec {
namespace {

constexpr std::uint32_t many = 100;  // below, the files of a stage are as quickly read

std::string line_after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + mark.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

}  // namespace

std::filesystem::path SettledStages::file(std::uint32_t stage) const {
  return run_.settled() / fmt::format("{}-g{}", plan_.stage(stage).name, generation_);
}

std::string SettledStages::text(std::uint32_t stage, const StageLeavings& left) const {
  return fmt::format("all {} instances of {} have committed\nleft: {}\nunknown: {}\n",
                     plan_.instance_count(stage), plan_.stage(stage).name, left.digest, left.unknown);
}

void SettledStages::look_for(std::uint32_t stage) {
  if (plan_.instance_count(stage) < many) return;
  try {
    const std::string noted = read_file(file(stage));
    const StageLeavings left{line_after(noted, "\nleft: "), line_after(noted, "\nunknown: ")};
    if (noted != text(stage, left)) return;
    known_.insert(stage);
    left_[stage] = left;
  } catch (const std::system_error&) {  // nobody has noted it yet
  }
}

void SettledStages::add_to(RunRecord& record) const {
  for (const std::uint32_t stage : known_)
    for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i)
      record.instances[{plan_.stage(stage).name, i}].committed = true;
  for (const auto& [stage, left] : left_) record.left[plan_.stage(stage).name] = left;
}

void SettledStages::note(std::uint32_t stage, const RunRecord& record) const {
  if (plan_.instance_count(stage) < many || known_.contains(stage)) return;
  for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i) {
    const InstanceRecord* known = record.find(plan_.stage(stage).name, i);
    if (known == nullptr || !known->committed) return;
  }
  try {
    make_directories(run_.settled());
    write_file_durably(file(stage), text(stage, commits_in(plan_, record).leavings(stage)));
  } catch (const std::system_error&) {  // the next one reads the journal, too
  }
}

}  // namespace kernmill::exec
