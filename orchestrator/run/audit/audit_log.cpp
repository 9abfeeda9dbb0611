#include "kernmill/run/audit/audit_log.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/base/timestamp.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t first_hash_length = 64;

[[noreturn]] void fail(const char* what, const fs::path& file) {
  throw std::system_error(errno, std::generic_category(), fmt::format("{} {}", what, file.string()));
}

/// Opened to append to, and this user's; no link is followed.
FileDescriptor open_own(const fs::path& file) {
  const mode_t mode = mode_of_files_in(file.parent_path().c_str()).value_or(0600);
  FileDescriptor opened(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode));
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0) fail("cannot open", file);
  const std::string why = S_ISREG(status.st_mode) ? why_not_believed(status, ::geteuid()) : "it is no file";
  if (!why.empty() || status.st_uid != ::geteuid())
    throw std::runtime_error(
        fmt::format("{} is not yours alone: {}", file.string(), why.empty() ? "it belongs to root" : why));
  return opened;
}

void lock(const FileDescriptor& opened, const fs::path& file) {
  constexpr std::chrono::milliseconds pause(20);
  constexpr int tries = 500;
  for (int i = 0; i < tries; ++i) {
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) return;
    if (errno != EWOULDBLOCK && errno != EINTR) fail("cannot lock", file);
    std::this_thread::sleep_for(pause);
  }
  fail("for ten seconds another process has held", file);
}

void append(const FileDescriptor& opened, std::string_view text, const fs::path& file) {
  while (!text.empty()) {
    const ssize_t written = ::write(opened.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", file);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(opened.get()) != 0) fail("cannot write", file);
}

/// What an entry has to know of the lines before it.
struct End {
  std::uint64_t number = 0;  ///< of the last whole entry
  std::string hash = std::string(first_hash_length, '0');
  bool is_torn = false;  ///< the last line has no end
};

End end_of_text(std::string_view text, bool from_beginning) {
  End end;
  bool is_last = true;
  end.is_torn = !text.empty() && text.back() != '\n';
  while (!text.empty()) {
    if (text.back() == '\n') text.remove_suffix(1);
    const std::size_t before = text.rfind('\n');
    if (before == text.npos && !from_beginning) break;  // not the whole of its line
    const std::string_view line = before == text.npos ? text : text.substr(before + 1);
    if (std::exchange(is_last, false)) end.hash = sha256(std::string(line));
    const Json entry = json_or_nothing(line);
    if (entry.is_object() && entry.contains("n") && entry["n"].is_number_unsigned()) {
      end.number = entry["n"].get<std::uint64_t>();
      break;
    }
    text = before == text.npos ? std::string_view() : text.substr(0, before + 1);
  }
  return end;
}

End end_of(const FileDescriptor& opened, const fs::path& file) {
  constexpr off_t enough = off_t{1} << 16;
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) fail("cannot look at", file);
  const off_t from = status.st_size > enough ? status.st_size - enough : 0;
  std::string text(static_cast<std::size_t>(status.st_size - from), '\0');
  const ssize_t got = ::pread(opened.get(), text.data(), text.size(), from);
  if (got < 0) fail("cannot read", file);
  text.resize(static_cast<std::size_t>(got));
  return end_of_text(text, from == 0);
}

std::string user_name() {
  const std::string text = user_text(::geteuid());
  return text.substr(0, text.find(" ("));
}

void keep_mark(const RunDirectory& run, const AuditMark& mark) {
  const fs::path file = run.root() / "audit.jsonl";
  const Json line{{"log", audit_file({}, ::geteuid()).string()}, {"n", mark.number}, {"hash", mark.hash}};
  append(open_own(file), line.dump() + "\n", file);
}

void add_digest(Json& details, const char* name, const fs::path& file) {
  if (fs::exists(file)) details[name] = sha256(read_file(file));
}

}  // namespace

fs::path audit_file(const fs::path& runs_root, uid_t user) {
  return runs_root / fmt::format("audit-{}.jsonl", user);
}

AuditMark append_to_audit(const fs::path& runs_root, const AuditEvent& event) {
  const fs::path file = audit_file(runs_root, ::geteuid());
  const FileDescriptor opened = open_own(file);
  lock(opened, file);
  const End end = end_of(opened, file);
  Json entry{{"schema_version", 1}, {"n", end.number + 1}, {"time", utc_timestamp()}, {"user", user_name()},
             {"uid", ::geteuid()},  {"host", host_name()}, {"command", event.command}};
  if (!event.run.empty()) entry["run"] = event.run;
  entry.update(event.details);
  entry["previous"] = end.hash;
  const std::string line = entry.dump(-1, ' ', false, Json::error_handler_t::replace);
  append(opened, (end.is_torn ? "\n" : "") + line + "\n", file);
  return {end.number + 1, sha256(line)};
}

void audit_act(const RunDirectory& run, AuditEvent event) {
  event.run = run.name();
  add_digest(event.details, "workflow_sha256", run.workflow());
  add_digest(event.details, "plan_sha256", newest_plan(run));
  const AuditMark mark = append_to_audit(run.root().parent_path(), event);
  if (owner_of(run) == ::geteuid()) keep_mark(run, mark);
}

std::vector<std::pair<std::string, AuditMark>> audit_marks(const RunDirectory& run) {
  std::vector<std::pair<std::string, AuditMark>> marks;
  const fs::path file = run.root() / "audit.jsonl";
  if (!fs::exists(file)) return marks;
  const std::string text = read_file(file);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const Json line = json_or_nothing(text.substr(at, end - at));
    at = end + 1;
    const auto is = [&](const char* key, bool (Json::*right)() const) {
      return line.contains(key) && (line.at(key).*right)();
    };
    if (line.is_object() && is("log", &Json::is_string) && is("hash", &Json::is_string) &&
        is("n", &Json::is_number_unsigned))
      marks.push_back({line["log"], {line["n"].get<std::uint64_t>(), line["hash"].get<std::string>()}});
  }
  return marks;
}

}  // namespace kernmill
