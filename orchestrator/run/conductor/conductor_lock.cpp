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
  const Json json = json_or_nothing({text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))});
  if (!json.is_object()) return {};
  return {
      {static_cast<int>(number_in(json, "pid")), static_cast<std::uint64_t>(number_in(json, "start_time")),
       text_in(json, "host")},
      text_in(json, "purpose") == settling ? ConductorLock::Purpose::settle : ConductorLock::Purpose::conduct,
      text_in(json, "boot")};
}

void write_holder(int fd, const std::filesystem::path& file, const LockHolder& self) {
  Json json{{"pid", self.pid}, {"start_time", self.start_time}, {"host", self.host}, {"boot", self.boot}};
  if (self.purpose == ConductorLock::Purpose::settle) json["purpose"] = settling;
  const std::string text = json.dump() + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    throw std::system_error(errno, std::generic_category(), fmt::format("cannot write {}", file.string()));
}

[[noreturn]] void refuse(const std::filesystem::path& file, const ProcessIdentity& holder) {
  const bool is_elsewhere = !holder.host.empty() && holder.host != host_name();
  throw RunIsLocked(fmt::format("run {} is conducted by process {} on {} already{}",
                                file.parent_path().filename().string(), holder.pid,
                                holder.host.empty() ? "this machine" : holder.host,
                                is_elsewhere ? ", where kernmill cancel has to be called to end it" : ""));
}

int lock_with(const LockMeans& means, int fd, int operation) {
  return means.flock ? means.flock(fd, operation) : ::flock(fd, operation);
}

/// Some parallel file systems are mounted without flock.
bool is_missing(int error) {
  return error == ENOSYS || error == EOPNOTSUPP || error == ENOLCK;
}

}  // namespace

ConductorLock::ConductorLock(const std::filesystem::path& file, const ProcessIdentity& self, Purpose purpose,
                             const LockMeans& means)
    : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)) {
  if (!fd_)
    throw std::system_error(errno, std::generic_category(), fmt::format("cannot open {}", file.string()));
  const bool has_lock = lock_with(means, fd_.get(), LOCK_EX | LOCK_NB) == 0;
  if (!has_lock && errno == EWOULDBLOCK) refuse(file, read_holder(fd_.get()));
  if (!has_lock && !is_missing(errno))
    throw std::system_error(errno, std::generic_category(), fmt::format("cannot lock {}", file.string()));
  own(file, self, means, has_lock);
  write_holder(fd_.get(), file, {self, purpose, means.boot});
}

void ConductorLock::own(const std::filesystem::path& file, const ProcessIdentity& self,
                        const LockMeans& means, bool has_lock) {
  owner_ = std::make_unique<OwnerRecord>(file.parent_path(), OwnerRecord::Self{self, means.boot, means.times},
                                         has_lock);
  if (owner_->other()) refuse(file, owner_->other()->process);
}

ConductorLock::~ConductorLock() {
  // Nobody holds it from here on: `lock_holder` goes by what is written.
  if (owner_->is_lost()) return;
  [[maybe_unused]] const int ignored = ftruncate(fd_.get(), 0);
}

std::optional<LockHolder> lock_holder(const std::filesystem::path& file, const LockMeans& means) {
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return {};
  LockHolder holder = read_holder(fd.get());
  if (holder.pid == 0) return {};
  const bool is_here = holder.boot.empty() ? holder.host == host_name() : holder.boot == means.boot;
  // Not by trying the lock: that would be in the way of a conductor that takes it just now.
  if (is_here) return is_alive(holder.pid, holder.start_time) ? std::optional(holder) : std::nullopt;
  if (lock_with(means, fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return holder;
  const auto owner = newest_owner(file.parent_path());
  const bool may_live = owner && !owner->is_released();
  if (may_live && shows_life(file.parent_path(), *owner, 2 * means.times.beat)) return holder;
  return {};
}

ProcessIdentity self_identity() {
  return {getpid(), start_time_of(getpid()), host_name()};
}

}  // namespace kernmill
