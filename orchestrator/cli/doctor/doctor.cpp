#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/doctor/doctor_checks.hpp"
#include "kernmill/cli/doctor/doctor_io.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/report/table.hpp"

namespace kernmill::cli {
namespace {

using doctor::Check;
using Status = Check::Status;

const char* word(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::note:
      return "note";
    case Status::warning:
      return "warning";
    case Status::fail:
      return "fail";
  }
  return "";
}

Color color(Status status) {
  switch (status) {
    case Status::ok:
      return Color::green;
    case Status::note:
      return Color::dim;
    case Status::warning:
      return Color::yellow;
    case Status::fail:
      return Color::red;
  }
  return Color::dim;
}

std::ptrdiff_t count(const std::vector<Check>& checks, Status status) {
  return std::count_if(checks.begin(), checks.end(),
                       [&](const Check& check) { return check.status == status; });
}

/// The lines of a text, with blanks before all but the first.
std::string indented(const std::string& text, std::size_t width) {
  std::string result;
  for (const char c : text) result += c == '\n' ? "\n" + std::string(width, ' ') : std::string(1, c);
  return result;
}

void show_text(const std::vector<Check>& checks, const Paint& paint) {
  std::size_t name_width = 0;
  for (const Check& check : checks) name_width = std::max(name_width, check.name.size());
  std::string group;
  for (const Check& check : checks) {
    if (check.group != group)
      fmt::print("{}{}\n", group.empty() ? "" : "\n", paint(Color::bold, check.group));
    group = check.group;
    const std::size_t margin = 2 + 7 + 2 + name_width + 2;
    fmt::print("  {}  {}  {}\n", paint(color(check.status), padded(word(check.status), 7)),
               padded(check.name, name_width), indented(check.text, margin));
    if (!check.advice.empty()) fmt::print("{}{}\n", std::string(margin, ' '), indented(check.advice, margin));
  }
  const auto fails = count(checks, Status::fail), warnings = count(checks, Status::warning);
  fmt::print("\n{}\n", fails + warnings == 0
                           ? "everything that could be checked is in order"
                           : fmt::format("{} failed, {}", fails, counted(warnings, "warning")));
}

void show_json(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const Check& check : checks)
    list.push_back({{"group", check.group},
                    {"name", check.name},
                    {"status", word(check.status)},
                    {"text", check.text},
                    {"advice", check.advice},
                    {"values", check.values}});
  const Json json{
      {"schema_version", 1}, {"ok", count(checks, Status::fail) == 0}, {"checks", std::move(list)}};
  fmt::print("{}\n", json.dump(2));
}

int run_doctor(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_flag(options, "deep", "also launch ranks in a job, which has to wait for its turn in the queue");
  doctor::add_io_options(options);
  Arguments arguments(self, options);
  if (!arguments.parse(words)) return exit_done;
  if (arguments.has("io")) return doctor::measure_io(arguments);
  for (const char* name : {"ranks", "size", "write-site"})
    if (arguments.has(name))
      throw UsageError(fmt::format("--{} is for measuring a directory", name),
                       fmt::format("kernmill doctor --io DIR --{}", name));
  const Programs programs = find_programs();
  std::vector<Check> checks = doctor::check_programs(programs);
  for (Check& check : doctor::check_slurm(programs, arguments.has("deep")))
    checks.push_back(std::move(check));
  for (Check& check : doctor::check_files(new_run_root(arguments, std::filesystem::current_path())))
    checks.push_back(std::move(check));
  if (arguments.json())
    show_json(checks);
  else
    show_text(checks, arguments.out_paint());
  return count(checks, Status::fail) == 0 ? exit_done : exit_unavailable;
}

}  // namespace

const Command doctor_command{"doctor", "check the installation, and say what to do", "[options]",
                             "  kernmill doctor\n"
                             "  kernmill doctor --runs /scratch/me/runs\n"
                             "  kernmill doctor --deep\n"
                             "  kernmill doctor --io /scratch/me --ranks 8 --size 4G\n"
                             "  kernmill doctor --io /scratch/me --write-site\n",
                             run_doctor};

}  // namespace kernmill::cli
