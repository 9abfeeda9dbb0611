#include "kernmill/run/audit/audit_check.hpp"

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view beginning = "audit-", ending = ".jsonl";

/// Whose log a file of that name is; nothing for other files.
std::optional<uid_t> user_of(std::string_view name) {
  if (!name.starts_with(beginning) || !name.ends_with(ending)) return {};
  name.remove_prefix(beginning.size());
  name.remove_suffix(ending.size());
  uid_t user = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), user);
  return error == std::errc{} && end == name.data() + name.size() ? std::optional(user) : std::nullopt;
}

class LogCheck {
 public:
  LogCheck(AuditedLog& log, uid_t user) : log_(log), user_(user) {}

  void check(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      ++line_;
      check_line(text.substr(at, end - at), end != text.npos);
      at = end == text.npos ? text.size() : end + 1;
    }
    log_.last = {number_, previous_};
  }

  /// An entry that a run names.
  void check_mark(const RunDirectory& run, const AuditMark& mark) {
    const auto known = hashes_.find(mark.number);
    if (known == hashes_.end())
      problem(
          fmt::format("entry {}, which run {} names, is missing: the log was cut", mark.number, run.name()));
    else if (known->second != mark.hash)
      problem(
          fmt::format("entry {} is not the one that run {} names: it was changed", mark.number, run.name()));
  }

 private:
  void check_line(const std::string& line, bool has_end) {
    Json entry = json_or_nothing(line);
    const bool is_entry = entry.is_object() && entry.contains("n") && entry["n"].is_number_unsigned() &&
                          entry.contains("previous") && entry["previous"].is_string();
    if (!is_entry) {
      note(fmt::format("line {} is torn: a machine stopped while it was written", line_));
    } else {
      check_entry(entry);
      number_ = entry["n"].get<std::uint64_t>();
      hashes_[number_] = sha256(line);
      if (!has_end) note(fmt::format("line {} has no end", line_));
      log_.entries.push_back(std::move(entry));
    }
    previous_ = sha256(line);
  }

  void check_entry(const Json& entry) {
    if (entry["previous"] != previous_)
      problem(fmt::format(
          "line {} does not follow from the line before it: one was changed, removed or moved", line_));
    if (entry["n"] != number_ + 1)
      problem(fmt::format("line {} is entry {}, and {} was to come", line_, entry["n"].dump(), number_ + 1));
    if (entry.value("uid", Json()) != user_)
      problem(fmt::format("line {} is not of {}", line_, user_text(user_)));
  }

  void problem(std::string what) { log_.problems.push_back(std::move(what)); }
  void note(std::string what) { log_.notes.push_back(std::move(what)); }

  AuditedLog& log_;
  uid_t user_;
  std::size_t line_ = 0;
  std::uint64_t number_ = 0;
  std::string previous_ = std::string(64, '0');
  std::map<std::uint64_t, std::string> hashes_;
};

/// Runs that were begun and are not there, though none of the entries says that they were removed.
void note_lost_runs(AuditedLog& log, const fs::path& root) {
  std::set<std::string> begun;
  for (const Json& entry : log.entries) {
    const std::string run = entry.value("run", ""), command = entry.value("command", "");
    if (command == "run" || command == "submit") begun.insert(run);
    if (command == "clean") begun.erase(run);
  }
  for (const std::string& run : begun)
    if (!run.empty() && !fs::exists(root / run))
      log.notes.push_back(fmt::format("run {} is gone, and kernmill clean has not removed it", run));
}

AuditedLog check_log(const fs::path& root, const std::string& name, uid_t user,
                     const std::vector<RunDirectory>& runs) {
  AuditedLog log;
  log.file = name;
  struct stat status {};
  std::string text;
  if (::lstat((root / name).c_str(), &status) == 0) {
    if (const std::string why = why_not_believed(status, user); !why.empty()) log.problems.push_back(why);
    if (!S_ISREG(status.st_mode)) return log;
    text = read_file(root / name);
  }
  LogCheck check(log, user);
  check.check(text);
  for (const RunDirectory& run : runs)
    for (const auto& [file, mark] : audit_marks(run))
      if (file == name) check.check_mark(run, mark);
  note_lost_runs(log, root);
  return log;
}

/// Runs whose files may be read, and the logs that they or the root name.
std::vector<RunDirectory> readable_runs(const fs::path& root, std::set<std::string>& names) {
  std::vector<RunDirectory> runs;
  for (const RunDirectory& run : list_runs(root)) try {
      for (const auto& [file, mark] : audit_marks(run)) names.insert(file);
      runs.push_back(run);
    } catch (const std::system_error&) {  // a colleague's, who shares it with nobody
    }
  return runs;
}

}  // namespace

std::vector<AuditedLog> check_audit(const fs::path& root) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error))
    if (user_of(entry->path().filename().string())) names.insert(entry->path().filename().string());
  if (error) throw std::system_error(error, "cannot list " + root.string());
  const std::vector<RunDirectory> runs = readable_runs(root, names);
  std::vector<AuditedLog> logs;
  for (const std::string& name : names) {
    const auto user = user_of(name);
    if (!user) continue;
    try {
      logs.push_back(check_log(root, name, *user, runs));
    } catch (const std::system_error& unreadable) {
      AuditedLog& log = logs.emplace_back();
      log.file = name;
      log.notes.push_back(unreadable.what());
    }
  }
  return logs;
}

}  // namespace kernmill
