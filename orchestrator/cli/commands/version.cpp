#include <array>

#include <fmt/format.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/scheduler/scheduler.hpp"

namespace kernmill::cli {
namespace {

/// A program's content, in 16 hex digits: what tells one build of it from another.
std::string build_id(const std::filesystem::path& program) {
  try {
    return sha256(read_file(program)).substr(0, 16);
  } catch (const std::system_error&) {
    return {};
  }
}

int version(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  Arguments arguments(self, {});
  if (!arguments.parse(words)) return exit_done;
  const Programs programs = find_programs();
  const std::array<std::pair<const char*, std::filesystem::path>, 3> all{
      {{"kernmill", "/proc/self/exe"}, {"kernmill-exec", programs.exec}, {"kernmill-task", programs.task}}};
  Json json{{"schema_version", 1},
            {"version", KERNMILL_VERSION},
            {"scheduler_interface", Scheduler::interface_version}};
  TextTable table;
  table.row({"kernmill", KERNMILL_VERSION});
  for (const auto& [name, path] : all) {
    const std::string id = build_id(path);
    json["builds"][name] = id.empty() ? Json() : Json(id);
    table.row({std::string("  ") + name, id.empty() ? "not found" : "build " + id});
  }
  if (arguments.json())
    fmt::print("{}\n", json.dump(2));
  else
    fmt::print("{}", table.text());
  return exit_done;
}

}  // namespace

const Command version_command{"version", "the version, and the builds of the programs", "[options]",
                              "  kernmill version\n"
                              "  kernmill version --json\n",
                              version};

}  // namespace kernmill::cli
