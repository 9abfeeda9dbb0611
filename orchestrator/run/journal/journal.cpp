#include "kernmill/run/journal/journal.hpp"

#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/journal/journal_line.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what, const fs::path& path, int code) {
  throw std::system_error(code, std::generic_category(), std::string(what) + " " + path.string());
}

}  // namespace

std::string to_line(const Record& record) {
  Json line = {{"v", 1}, {"time", utc_timestamp()}, {"event", record.event}};
  line.update(record.body);
  // Bytes that are no UTF-8 (in a message of a foreign program) are replaced: the record must not be lost.
  return with_checksum(line.dump(-1, ' ', false, Json::error_handler_t::replace)) + '\n';
}

JournalWriter::JournalWriter(const fs::path& journal, const std::string& job, unsigned restart,
                             const std::string& role, Hook hook)
    : path_(journal / fmt::format("{}.{}.{}.{}.jsonl", job, restart, host_name(), role)),
      hook_(std::move(hook)) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
  if (fd_ < 0 && errno == EEXIST)
    fail("this journal file is another process's; was the same job started twice?", path_, EEXIST);
  if (fd_ < 0) fail("cannot make the journal file", path_, errno);
  struct stat folder {};
  const bool shared = ::stat(journal.c_str(), &folder) == 0 && (folder.st_mode & S_IRGRP) != 0;
  ::fchmod(fd_, shared ? 0640 : 0600);
  sync_directory(journal);
}

JournalWriter::~JournalWriter() {
  ::close(fd_);
}

void JournalWriter::append(const Record& record) {
  append_all({record});
}

void JournalWriter::append_all(const std::vector<Record>& records) {
  std::string lines;
  for (const Record& record : records) {
    if (hook_) hook_(record, false);
    lines += to_line(record);
  }
  write_durably(lines);
  if (hook_)
    for (const Record& record : records) hook_(record, true);
}

void JournalWriter::append_lines(const std::string& lines) {
  const Record gathered{"gathered"};
  if (hook_) hook_(gathered, false);
  write_durably(lines);
  if (hook_) hook_(gathered, true);
}

void JournalWriter::write_durably(const std::string& lines) {
  const off_t before = ::lseek(fd_, 0, SEEK_END);
  ssize_t written = 0;
  while ((written = ::write(fd_, lines.data(), lines.size())) < 0 && errno == EINTR) {
  }
  if (written != static_cast<ssize_t>(lines.size())) {
    const int code = written < 0 ? errno : ENOSPC;
    if (written > 0 && ::ftruncate(fd_, before) != 0) fail("cannot mend the journal file", path_, errno);
    fail("cannot write the journal file", path_, code);
  }
  if (::fdatasync(fd_) != 0) fail("cannot write the journal file", path_, errno);
}

Json to_json(const Artifact& artifact) {
  Json json{{"name", artifact.name},
            {"path", artifact.path},
            {"bytes", artifact.bytes},
            {"sha256", artifact.sha256}};
  if (artifact.temp) json["temp"] = true;
  return json;
}

Artifact artifact_from_json(const Json& json) {
  return {json.at("name"), json.at("path"), json.at("bytes"), json.at("sha256"), json.value("temp", false)};
}

}  // namespace kernmill
