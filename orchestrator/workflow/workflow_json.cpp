#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {
namespace {

using File = std::shared_ptr<const SourceFile>;

const Json& map_at(const Json& json, const char* key) {
  const Json& map = json.at(key);
  if (!map.is_object()) throw std::invalid_argument(fmt::format("'{}' is no map", key));
  return map;
}

std::vector<Json> maps_in(const Json& list, const char* key) {
  std::vector<Json> maps = list.get<std::vector<Json>>();
  for (const Json& map : maps)
    if (!map.is_object()) throw std::invalid_argument(fmt::format("an item of '{}' is no map", key));
  return maps;
}

Json to_json(const Where& where) {
  return Json::array({where.line, where.column, where.length});
}

Where where_from(const Json& json, const File& file) {
  return {file, json.at(0).get<std::uint32_t>(), json.at(1).get<std::uint32_t>(),
          json.at(2).get<std::uint32_t>()};
}

Json to_json(const Matrix::Cut& cut) {
  Json json{{"size", cut.size}, {"group", cut.group}, {"values", cut.values}, {"texts", cut.texts}};
  if (cut.number) json["number"] = *cut.number;
  return json;
}

Matrix::Cut cut_from(const Json& json) {
  Matrix::Cut cut{json.at("size"), json.at("group"), {}, map_at(json, "values"), map_at(json, "texts")};
  if (json.contains("number")) cut.number = json["number"].get<std::uint32_t>();
  return cut;
}

Json to_json(const Matrix& matrix) {
  if (matrix.cut) return {{"cut", to_json(*matrix.cut)}};
  Json axes = Json::object(), texts = Json::object(), zipped = Json::array();
  for (const auto& axis : matrix.axes) axes[axis.name] = axis.values;
  for (const auto& axis : matrix.axes)
    if (!axis.texts.empty()) texts[axis.name] = axis.texts;
  for (const auto& axis : matrix.axes)
    if (axis.zipped) zipped.push_back(axis.name);
  Json json{{"axes", std::move(axes)},
            {"texts", std::move(texts)},
            {"exclude", matrix.exclude},
            {"include", matrix.include},
            {"include_texts", matrix.include_texts}};
  if (!zipped.empty()) json["zipped"] = std::move(zipped);
  for (const auto& source : matrix.sources)
    json["sources"].push_back({{"path", source.path}, {"sha256", source.sha256}});
  for (const auto& later : matrix.later)
    json["later"].push_back(
        {{"axes", later.axes}, {"table", later.table}, {"stage", later.stage}, {"name", later.name}});
  if (!matrix.later.empty()) json["decided"] = matrix.decided;
  if (!matrix.problem.empty()) json["problem"] = matrix.problem;
  return json;
}

void check_axes(const Matrix& matrix) {
  for (const Matrix::Axis& axis : matrix.axes)
    if (!axis.texts.empty() && axis.texts.size() != axis.values.size())
      throw std::invalid_argument(fmt::format("axis {} has {} values and {} texts of them", axis.name,
                                              axis.values.size(), axis.texts.size()));
  for (const AxisGroup& group : axis_groups(matrix))
    for (std::size_t a = group.first; a < group.end; ++a)
      if (matrix.axes[a].values.size() != group.size || matrix.axes[group.first].zipped)
        throw std::invalid_argument(
            fmt::format("axis {} does not go along with the one before it", matrix.axes[a].name));
}

Matrix matrix_from(const Json& json) {
  Matrix matrix;
  if (json.contains("cut")) {
    matrix.cut = cut_from(json["cut"]);
    return matrix;
  }
  const Json texts = json.value("texts", Json::object());
  for (const auto& [name, values] : json.at("axes").items())
    matrix.axes.push_back(
        {name, values.get<std::vector<Json>>(), texts.value(name, std::vector<std::string>{})});
  const auto zipped = json.value("zipped", std::vector<std::string>{});
  for (Matrix::Axis& axis : matrix.axes)
    axis.zipped = std::find(zipped.begin(), zipped.end(), axis.name) != zipped.end();
  check_axes(matrix);
  matrix.exclude = maps_in(json.at("exclude"), "exclude");
  matrix.include = maps_in(json.at("include"), "include");
  matrix.include_texts = maps_in(json.value("include_texts", Json::array()), "include_texts");
  for (const Json& source : json.value("sources", Json::array()))
    matrix.sources.push_back({source.at("path"), source.at("sha256")});
  for (const Json& later : json.value("later", Json::array()))
    matrix.later.push_back({later.at("axes"), later.at("table"), later.at("stage"), later.at("name")});
  matrix.decided = json.value("decided", false);
  matrix.problem = json.value("problem", "");
  return matrix;
}

Json to_json(const Input& input) {
  Json json{{"key", input.key},
            {"stage", input.stage},
            {"artifact", input.artifact},
            {"path", input.path},
            {"where", to_json(input.where)}};
  if (input.gathered) json["gathered"] = true;
  return json;
}

Input input_from(const Json& json, const File& file) {
  return {json.at("key").get<std::string>(),      json.at("stage").get<std::string>(),
          json.at("artifact").get<std::string>(), json.at("path").get<std::string>(),
          where_from(json.at("where"), file),     json.value("gathered", false)};
}

Json to_json(const Retries& retries) {
  return {{"max", retries.max},
          {"on", retries.on},
          {"mem_factor", retries.mem_factor},
          {"time_factor", retries.time_factor}};
}

Retries retries_from(const Json& json) {
  return {json.at("max").get<int>(), json.at("on").get<std::vector<std::string>>(),
          json.at("mem_factor").get<double>(), json.at("time_factor").get<double>()};
}

Json to_json(const Stage& stage) {
  Json json{{"name", stage.name},
            {"where", to_json(stage.where)},
            {"task", to_string(stage.kind)},
            {"config", stage.config},
            {"resources", stage.resources},
            {"env", stage.env},
            {"when", stage.when},
            {"inputs", Json::array()},
            {"inputs_declared", stage.inputs_declared},
            {"needs", stage.needs},
            {"matrix", to_json(stage.matrix)},
            {"retries", to_json(stage.retries)},
            {"max_parallel", stage.max_parallel},
            {"pack", stage.pack},
            {"max_fails", stage.max_fails},
            {"modules", stage.modules},
            {"setup", stage.setup},
            {"container", stage.container}};
  if (stage.stall.count() > 0) json["stall"] = stage.stall.count();
  if (!stage.python.empty()) json["python"] = stage.python;
  if (!stage.pass_env.empty()) json["pass_env"] = stage.pass_env;
  if (!stage.signal.empty()) json["signal"] = stage.signal;
  if (stage.signal_lead.count() > 0) json["signal_lead"] = stage.signal_lead.count();
  if (!stage.order_only.empty()) json["order_only"] = stage.order_only;
  for (const Input& input : stage.inputs) json["inputs"].push_back(to_json(input));
  return json;
}

Stage stage_from(const Json& json, const File& file) {
  Stage stage;
  stage.name = json.at("name").get<std::string>();
  stage.where = where_from(json.at("where"), file);
  const auto kind = task_kind(json.at("task").get<std::string>());
  if (!kind)
    throw std::invalid_argument(
        fmt::format("stage {} has the unknown task {}", stage.name, json.at("task").dump()));
  stage.kind = *kind;
  stage.config = map_at(json, "config");
  stage.resources = map_at(json, "resources");
  stage.env = map_at(json, "env");
  stage.when = json.at("when").get<std::string>();
  for (const Json& input : json.at("inputs")) stage.inputs.push_back(input_from(input, file));
  stage.inputs_declared = json.at("inputs_declared").get<bool>();
  stage.needs = json.at("needs").get<std::vector<std::string>>();
  stage.order_only = json.value("order_only", std::vector<std::string>{});
  stage.matrix = matrix_from(json.at("matrix"));
  stage.retries = retries_from(json.at("retries"));
  stage.max_parallel = json.at("max_parallel").get<int>();
  stage.pack = json.value("pack", 1);
  stage.max_fails = json.at("max_fails").get<int>();
  stage.stall = std::chrono::seconds(json.value("stall", std::int64_t{0}));
  stage.modules = json.at("modules").get<std::vector<std::string>>();
  stage.setup = json.at("setup").get<std::vector<std::string>>();
  stage.container = json.at("container").get<std::string>();
  stage.python = json.value("python", "");
  stage.pass_env = json.value("pass_env", std::vector<std::string>{});
  stage.signal = json.value("signal", "");
  stage.signal_lead = std::chrono::seconds(json.value("signal_lead", std::int64_t{0}));
  return stage;
}

Json to_json(const Snapshot& snapshot) {
  return {{"git", snapshot.git},       {"paths", snapshot.paths},        {"root", snapshot.root},
          {"commit", snapshot.commit}, {"dirty", snapshot.dirty},        {"digest", snapshot.digest},
          {"copy", snapshot.copy},     {"directory", snapshot.directory}};
}

Snapshot snapshot_from(const Json& json) {
  Snapshot snapshot;
  snapshot.git = json.at("git").get<bool>();
  snapshot.paths = json.at("paths").get<std::vector<std::string>>();
  snapshot.root = json.at("root").get<std::string>();
  snapshot.commit = json.at("commit").get<std::string>();
  snapshot.dirty = json.at("dirty").get<bool>();
  snapshot.digest = json.at("digest").get<std::string>();
  snapshot.copy = json.at("copy").get<std::string>();
  snapshot.directory = json.at("directory").get<std::string>();
  return snapshot;
}

}  // namespace

Json to_json(const Encryption& encryption) {
  Json json = Json::object();
  if (!encryption.key_file.empty()) json["key_file"] = encryption.key_file;
  if (!encryption.key_env.empty()) json["key_env"] = encryption.key_env;
  return json;
}

Json to_json(const StorageSettings& storage) {
  Json json = Json::object();
  if (storage.transport != "auto") json["transport"] = storage.transport;
  if (!storage.hints.empty()) json["hints"] = storage.hints;
  return json;
}

Json to_json(const Workflow& workflow) {
  Json json{{"name", workflow.name},
            {"file", workflow.file},
            {"base_directory", workflow.base_directory},
            {"params", workflow.params},
            {"share_group", workflow.share_group},
            {"on_success", workflow.on_success},
            {"on_failure", workflow.on_failure},
            {"mail_to", workflow.mail_to},
            {"mail_of_failure_only", workflow.mail_of_failure_only},
            {"stages", Json::array()}};
  if (workflow.bad_nodes != BadNodes{})
    json["bad_nodes"] = {{"seconds", workflow.bad_nodes.avoid_for.count()},
                         {"per_user", workflow.bad_nodes.per_user}};
  if (workflow.encryption.on()) json["encryption"] = to_json(workflow.encryption);
  if (workflow.storage != StorageSettings{}) json["storage"] = to_json(workflow.storage);
  if (workflow.snapshot.on()) json["snapshot"] = to_json(workflow.snapshot);
  if (!workflow.set.empty()) json["set"] = workflow.set;
  if (!workflow.profile.empty()) json["profile"] = workflow.profile;
  for (const Stage& stage : workflow.stages) json["stages"].push_back(to_json(stage));
  return json;
}

Workflow workflow_from_json(const Json& json) {
  Workflow workflow;
  workflow.name = json.at("name").get<std::string>();
  workflow.file = json.at("file").get<std::string>();
  workflow.base_directory = json.at("base_directory").get<std::string>();
  workflow.params = map_at(json, "params");
  workflow.share_group = json.at("share_group").get<bool>();
  if (const auto found = json.find("encryption"); found != json.end()) {
    workflow.encryption.key_file = found->value("key_file", "");
    workflow.encryption.key_env = found->value("key_env", "");
  }
  if (const auto found = json.find("storage"); found != json.end())
    workflow.storage = {found->value("transport", "auto"), found->value("hints", Json::object())};
  if (const auto found = json.find("bad_nodes"); found != json.end()) {
    workflow.bad_nodes.avoid_for = std::chrono::seconds(found->at("seconds").get<std::int64_t>());
    workflow.bad_nodes.per_user = found->at("per_user").get<bool>();
  }
  if (const auto found = json.find("snapshot"); found != json.end())
    workflow.snapshot = snapshot_from(*found);
  workflow.set = json.value("set", std::vector<std::string>{});
  workflow.profile = json.value("profile", "");
  workflow.on_success = json.value("on_success", "");
  workflow.on_failure = json.value("on_failure", "");
  workflow.mail_to = json.value("mail_to", "");
  workflow.mail_of_failure_only = json.value("mail_of_failure_only", false);
  const auto file = std::make_shared<const SourceFile>(SourceFile{workflow.file, ""});
  for (const Json& stage : json.at("stages")) workflow.stages.push_back(stage_from(stage, file));
  return workflow;
}

}  // namespace kernmill
