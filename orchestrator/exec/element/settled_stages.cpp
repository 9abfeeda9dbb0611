#include "kernmill/exec/element/settled_stages.hpp"

#include <system_error>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"

namespace kernmill::exec {
namespace {

constexpr std::uint32_t many = 100;  // below, the files of a stage are as quickly read

}  // namespace

std::filesystem::path SettledStages::file(std::uint32_t stage) const {
  return run_.settled() / fmt::format("{}-g{}", plan_.stage(stage).name, generation_);
}

std::string SettledStages::text(std::uint32_t stage) const {
  return fmt::format("all {} instances of {} have committed\n", plan_.instance_count(stage),
                     plan_.stage(stage).name);
}

void SettledStages::look_for(std::uint32_t stage) {
  if (plan_.instance_count(stage) < many) return;
  try {
    if (read_file(file(stage)) == text(stage)) known_.insert(stage);
  } catch (const std::system_error&) {  // nobody has noted it yet
  }
}

void SettledStages::add_to(RunRecord& record) const {
  for (const std::uint32_t stage : known_)
    for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i)
      record.instances[{plan_.stage(stage).name, i}].committed = true;
}

void SettledStages::note(std::uint32_t stage, const RunRecord& record) const {
  if (plan_.instance_count(stage) < many || known_.contains(stage)) return;
  for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i) {
    const InstanceRecord* known = record.find(plan_.stage(stage).name, i);
    if (known == nullptr || !known->committed) return;
  }
  try {
    make_directories(run_.settled());
    write_file_durably(file(stage), text(stage));
  } catch (const std::system_error&) {  // the next one reads the journal, too
  }
}

}  // namespace kernmill::exec
