#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/audit/audit_check.hpp"

namespace kernmill::cli {
namespace {

/// A text of somebody's log, which is no business of the terminal's.
std::string shown(const Json& entry, const char* name) {
  std::string text = entry.value(name, Json()).is_string() ? entry[name].get<std::string>() : "";
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::vector<Json> entries_of(const std::vector<AuditedLog>& logs, const std::string& run) {
  std::vector<Json> entries;
  for (const AuditedLog& log : logs)
    for (const Json& entry : log.entries)
      if (run.empty() || shown(entry, "run").starts_with(run)) entries.push_back(entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Json& a, const Json& b) { return shown(a, "time") < shown(b, "time"); });
  return entries;
}

int show(const std::vector<AuditedLog>& logs, const Arguments& arguments) {
  const std::vector<Json> entries = entries_of(logs, arguments.text("run"));
  if (arguments.json()) {
    fmt::print("{}\n", Json{{"schema_version", 1}, {"entries", entries}}.dump(2));
    return exit_done;
  }
  TextTable table;
  for (const Json& entry : entries) {
    std::vector<std::string> row;
    for (const char* name : {"time", "user", "host", "command", "run"}) row.push_back(shown(entry, name));
    table.row(row);
  }
  fmt::print("{}", table.text());
  if (entries.empty()) fmt::print(stderr, "there is no entry\n");
  return exit_done;
}

int verify(const std::vector<AuditedLog>& logs, const Arguments& arguments) {
  std::size_t problems = 0;
  Json list = Json::array();
  for (const AuditedLog& log : logs) {
    problems += log.problems.size();
    list.push_back({{"file", log.file},
                    {"entries", log.entries.size()},
                    {"last", {{"n", log.last.number}, {"hash", log.last.hash}}},
                    {"problems", log.problems},
                    {"notes", log.notes}});
    if (arguments.json()) continue;
    for (const std::string& problem : log.problems) fmt::print("{}: {}\n", log.file, problem);
    for (const std::string& note : log.notes) fmt::print("{}: note: {}\n", log.file, note);
    if (log.problems.empty() && !log.entries.empty())
      fmt::print("{}: whole, {}; the last is {}\n", log.file,
                 log.entries.size() == 1 ? "1 entry" : fmt::format("{} entries", log.entries.size()),
                 log.last.hash);
  }
  if (arguments.json())
    fmt::print("{}\n", Json{{"schema_version", 1}, {"whole", problems == 0}, {"logs", list}}.dump(2));
  else if (logs.empty())
    fmt::print(stderr, "there is no audit log in {}\n", run_root(arguments).string());
  return problems == 0 ? exit_done : exit_failed;
}

int audit_logs(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  Arguments arguments(self, options, {"verb", "run"});
  if (!arguments.parse(words)) return exit_done;
  const std::string verb = arguments.required("verb");
  if (verb != "show" && verb != "verify")
    throw UsageError(fmt::format("kernmill audit: there is no '{}'", verb), "it takes show or verify");
  const auto root = run_root(arguments);
  const auto logs = std::filesystem::is_directory(root) ? check_audit(root) : std::vector<AuditedLog>{};
  return verb == "show" ? show(logs, arguments) : verify(logs, arguments);
}

}  // namespace

const Command audit_command{
    "audit", "who did what with runs, and whether that record is unchanged", "show|verify [RUN] [options]",
    "  kernmill audit show                          submissions, cancellations, keys, ...\n"
    "  kernmill audit show iris-svm-20261121        of those runs\n"
    "  kernmill audit verify --runs /project/runs   exit status 1 when it was changed\n",
    audit_logs};

}  // namespace kernmill::cli
