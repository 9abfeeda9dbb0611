#include "kernmill/cli/commands/explain_environment.hpp"

#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/cli/runs/instance_selector.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::cli {
namespace {

namespace fs = std::filesystem;

struct Found {
  unsigned attempt = 0;
  Json told;
};

/// Of the newest attempt that has left it.
Found newest_environment(const RunDirectory& run, const std::string& stage, unsigned index) {
  constexpr std::string_view prefix = "attempt-";
  Found found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run.instance(stage, index), none)) {
    const std::string name = entry.path().filename().string();
    unsigned number = 0;
    if (name.starts_with(prefix))
      std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    const fs::path file = entry.path() / environment_file;
    if (number <= found.attempt || !fs::is_regular_file(file, none)) continue;
    Json told = json_or_nothing(read_file(file));
    if (told.is_object() && told.contains("variables") && told["variables"].is_object())
      found = {number, std::move(told)};
  }
  return found;
}

std::string told_text(const Json& map, const char* key, const std::string& otherwise) {
  const auto found = map.is_object() ? map.find(key) : map.end();
  return map.is_object() && found != map.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

void show_variables(const Json& told) {
  TextTable table;
  table.row({"variable", "from", "value"});
  for (const auto& [name, what] : told["variables"].items())
    table.row({printable_line(name), printable_line(told_text(what, "from", "?")),
               printable_line(told_text(what, "value", "(not kept)"))});
  fmt::print("{}", table.text());
  for (const char* key : {"modules", "python", "setup", "container"})
    if (const auto found = told.find(key); found != told.end())
      fmt::print(
          "{}: {}\n", key,
          printable_line(found->is_string() ? found->get<std::string>()
                                            : found->dump(-1, ' ', false, Json::error_handler_t::replace)));
}

}  // namespace

int explain_environment(const RunDirectory& run, const Plan& plan, const Arguments& arguments) {
  const std::string selector = arguments.text("stage");
  if (selector.empty())
    throw UsageError("--env wants an instance", "for instance: kernmill explain last train.3 --env");
  const InstanceId id = chosen_instance(plan, selector);
  const Found found = newest_environment(run, plan.stage(id.stage).name, id.index);
  if (found.attempt == 0)
    throw UsageError(
        fmt::format("nothing is kept of the environment of {}", plan.label(id)),
        "it has not begun, was taken from the cache, or was packed and left no folder: of packed "
        "instances only those keep it that have failed or left artifacts");
  if (arguments.json()) {
    Json json{{"schema_version", 1}, {"run", run.name()}, {"instance", plan.label(id)}};
    json["attempt"] = found.attempt;
    for (const char* key : {"variables", "modules", "python", "setup", "container"})
      if (found.told.contains(key)) json[key] = found.told[key];
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
    return exit_done;
  }
  fmt::print("{}, attempt {}\n", plan.label(id), found.attempt);
  show_variables(found.told);
  return exit_done;
}

}  // namespace kernmill::cli
