#include "kernmill/run/journal/handover.hpp"

#include <set>
#include <stdexcept>

#include "kernmill/plan/gathering.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

std::string line_of(const Plan& plan, InstanceId id, const CommitTable& commits) {
  const auto result = commits.result(id);
  if (!result) return {};
  return to_line(to_record(events::Committed{{plan.stage(id.stage).name, id.index, 1}, {*result}}));
}

void add_referred(std::set<InstanceId>& all, const Plan& plan, InstanceId id) {
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    if (const auto meant = stage == id.stage ? std::nullopt : plan.referred(id, stage)) all.insert(*meant);
  if (plan.is_reduce(id))
    for (std::uint32_t trial = 0; trial < id.index; ++trial) all.insert({id.stage, trial});
}

/// Of stages that the result of a command may depend on as a whole.
void add_whole(std::set<std::uint32_t>& all, const Plan& plan, InstanceId id) {
  const Stage& stage = plan.stage(id.stage);
  if (!runs_command(stage) || !stage.inputs_declared) return;
  for (const Edge& edge : plan.parents(id.stage))
    if (!is_order_only(stage, plan.stage(edge.stage).name) && !plan.referred(id, edge.stage))
      all.insert(edge.stage);
}

void add_gathered(std::set<InstanceId>& all, const Plan& plan, std::uint32_t stage) {
  for (const Gathering& gathered : gatherings_of(plan, stage))
    for (std::uint32_t i = 0; i < plan.instance_count(gathered.stage); ++i) all.insert({gathered.stage, i});
}

constexpr const char* pack_event = "pack";
constexpr const char* plan_event = "plan";

Json first_line(const std::string& lines, const char* event, const char* what) {
  Json line = json_or_nothing(std::string_view(lines).substr(0, lines.find('\n')));
  if (!line.is_object() || text_in(line, "event") != event)
    throw std::invalid_argument(std::string("nothing was handed over that says ") + what);
  return line;
}

}  // namespace

std::string handover(const Plan& plan, const std::vector<InstanceId>& ids, const CommitTable& commits) {
  std::set<InstanceId> referred;
  std::set<std::uint32_t> whole;
  for (const InstanceId id : ids) add_referred(referred, plan, id);
  if (!ids.empty()) add_gathered(referred, plan, ids.front().stage);  // a pack is of one stage
  for (const InstanceId id : ids) add_whole(whole, plan, id);
  std::string lines;
  for (const std::uint32_t stage : whole)
    lines += to_line(to_record(events::StageLeft{plan.stage(stage).name, commits.leavings(stage)}));
  for (const InstanceId id : referred) lines += line_of(plan, id, commits);
  return lines;
}

std::string handover_of_start(const Plan& plan, InstanceId id, unsigned attempt) {
  return to_line(to_record(events::Started{{plan.stage(id.stage).name, id.index, attempt}, {}, {}}));
}

std::string handover_of_plan(const Json& plan) {
  return to_line(Record{plan_event, {{"plan", plan}}});
}

Plan handed_plan_in(const std::string& lines) {
  const Json line = first_line(lines, plan_event, "what is to be done");
  return plan_from_json(line.contains("plan") ? line["plan"] : Json());
}

std::string to_line(const HandedPack& pack) {
  Json instances = Json::array();
  for (const PackedInstance& instance : pack.instances) instances.push_back(to_json(instance));
  return to_line(
      Record{pack_event,
             {{"slots", pack.slots}, {"fail_fast", pack.fail_fast}, {"instances", std::move(instances)}}});
}

HandedPack handed_pack_in(const std::string& lines) try {
  const Json line = first_line(lines, pack_event, "what is in the pack");
  HandedPack pack{line.at("slots"), line.at("fail_fast"), {}};
  for (const Json& instance : line.at("instances"))
    pack.instances.push_back(packed_instance_from_json(instance));
  return pack;
} catch (const Json::exception& error) {
  throw std::invalid_argument("what was handed over of a pack cannot be read: " + plain_words(error));
}

}  // namespace kernmill
