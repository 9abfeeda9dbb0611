#include "kernmill/run/conductor/conductor_lock.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

constexpr const char* settling = "settle";

/// What a holder wrote; empty when it was killed before it could.
LockHolder read_holder(int fd) {
  std::array<char, 512> text{};
  const ssize_t length = pread(fd, text.data(), text.size(), 0);
  const Json json = Json::parse(text.begin(), text.begin() + std::max<ssize_t>(length, 0), nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  return {{static_cast<int>(number_in(json, "pid")),
           static_cast<std::uint64_t>(number_in(json, "start_time")), text_in(json, "host")},
          text_in(json, "purpose") == settling ? ConductorLock::Purpose::settle
                                               : ConductorLock::Purpose::conduct};
}

void write_holder(int fd, const std::filesystem::path& file, const ProcessIdentity& self,
                  ConductorLock::Purpose purpose) {
  Json json{{"pid", self.pid}, {"start_time", self.start_time}, {"host", self.host}};
  if (purpose == ConductorLock::Purpose::settle) json["purpose"] = settling;
  const std::string text = json.dump() + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    throw std::system_error(errno, std::generic_category(), fmt::format("cannot write {}", file.string()));
}

}  // namespace

ConductorLock::ConductorLock(const std::filesystem::path& file, const ProcessIdentity& self, Purpose purpose)
    : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0)
    throw std::system_error(errno, std::generic_category(), fmt::format("cannot open {}", file.string()));
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const LockHolder holder = read_holder(fd_);
    close(fd_);
    if (error != EWOULDBLOCK)
      throw std::system_error(error, std::generic_category(), fmt::format("cannot lock {}", file.string()));
    throw RunIsLocked(fmt::format("run {} is conducted by process {} on {} already",
                                  file.parent_path().filename().string(), holder.pid,
                                  holder.host.empty() ? "this machine" : holder.host));
  }
  write_holder(fd_, file, self, purpose);
}

ConductorLock::~ConductorLock() {
  // Nobody holds it from here on: `lock_holder` goes by what is written.
  [[maybe_unused]] const int ignored = ftruncate(fd_, 0);
  close(fd_);
}

std::optional<LockHolder> lock_holder(const std::filesystem::path& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const LockHolder holder = read_holder(fd);
  bool held = false;
  if (holder.pid != 0 && holder.host == host_name()) {
    // Not by trying the lock: that would be in the way of a conductor that takes it just now.
    held = is_alive(holder.pid, holder.start_time);
  } else if (holder.pid != 0) {
    held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  }
  close(fd);
  return held ? std::optional(holder) : std::nullopt;
}

ProcessIdentity self_identity() {
  return {getpid(), start_time_of(getpid()), host_name()};
}

}  // namespace kernmill
