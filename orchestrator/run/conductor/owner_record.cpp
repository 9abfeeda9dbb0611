#include "kernmill/run/conductor/owner_record.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view prefix = "conductor.owner-";
constexpr std::string_view released = "released            ";  // as long as a beat
constexpr unsigned kept = 8;  // older ones stay: whoever looked at one of them must not find its number free

fs::path file_of(const fs::path& run, unsigned number) {
  return run / fmt::format("{}{}", prefix, number);
}

std::optional<unsigned> owner_number(std::string_view name) {
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return {};
  return number;
}

std::vector<unsigned> numbers_in(const fs::path& run) {
  std::vector<unsigned> numbers;
  std::error_code gone;
  for (fs::directory_iterator entry(run, gone), end; !gone && entry != end; entry.increment(gone))
    if (const auto number = owner_number(entry->path().filename().string())) numbers.push_back(*number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string text_of(std::uint64_t beat) {
  return fmt::format("{:020}", beat);
}

/// Opened anew for each look: that is when a network file system asks its server.
OwnerFile read_owner(const fs::path& run, unsigned number) {
  OwnerFile owner;
  owner.number = number;
  std::ifstream file(file_of(run, number));
  std::string line;
  std::getline(file, line);
  std::getline(file, owner.beat);
  const Json json = json_or_nothing(line);
  if (!json.is_object()) return owner;  // not written yet, or not by us
  owner.process = {static_cast<int>(number_in(json, "pid")),
                   static_cast<std::uint64_t>(number_in(json, "start_time")), text_in(json, "host")};
  owner.boot = text_in(json, "boot");
  return owner;
}

void say_that_it_is_watched(const OwnerFile& owner, std::chrono::milliseconds patience) {
  fmt::print(stderr,
             "process {} on {} had this run: watching for {} s whether it shows a sign of life (its host "
             "cannot be asked from here)\n",
             owner.process.pid, owner.process.host.empty() ? "another host" : owner.process.host,
             std::chrono::duration_cast<std::chrono::seconds>(patience).count());
}

[[noreturn]] void fail(const char* what, const fs::path& file) {
  throw std::system_error(errno, std::generic_category(), fmt::format("{} {}", what, file.string()));
}

}  // namespace

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

bool OwnerFile::is_released() const {
  return beat == released;
}

std::optional<OwnerFile> newest_owner(const fs::path& run) {
  const auto numbers = numbers_in(run);
  return numbers.empty() ? std::nullopt : std::optional(read_owner(run, numbers.back()));
}

bool shows_life(const fs::path& run, const OwnerFile& owner, std::chrono::milliseconds time) {
  const auto latest = Clock::now() + time;
  const auto pause = std::max(std::chrono::milliseconds(1), time / 50);
  while (Clock::now() < latest) {
    std::this_thread::sleep_for(pause);
    const auto now = newest_owner(run);
    if (!now || now->is_released()) return false;
    if (now->number != owner.number || now->beat != owner.beat) return true;
  }
  return false;
}

OwnerRecord::OwnerRecord(const fs::path& run, Self self, bool has_lock) : run_(run), self_(std::move(self)) {
  do {
    const auto newest = newest_owner(run_);  // looked at once: who comes after is in the way of its successor
    if (newest && has_the_run(*newest, has_lock)) {
      other_ = newest;
      return;
    }
    number_ = newest ? newest->number + 1 : 1;
  } while (!make(number_));
  for (const unsigned old : numbers_in(run_))
    if (old + kept < number_) ::unlink(file_of(run_, old).c_str());
  start_beating();
}

bool OwnerRecord::has_the_run(const OwnerFile& owner, bool has_lock) const {
  if (owner.is_released()) return false;
  const bool same_kernel =
      owner.boot == self_.boot && (!self_.boot.empty() || owner.process.host == self_.process.host);
  // With the lock, it has ended: a process that has not holds it, or has no need of it any more.
  if (same_kernel) return !has_lock && is_alive(owner.process.pid, owner.process.start_time);
  say_that_it_is_watched(owner, self_.times.patience);
  return shows_life(run_, owner, self_.times.patience);
}

/// False when another process was quicker. O_EXCL is decided by the server of a network file system.
bool OwnerRecord::make(unsigned number) {
  const fs::path path = file_of(run_, number);
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == EEXIST) return false;
  if (!file) fail("cannot make", path);
  const Json json{{"pid", self_.process.pid},
                  {"start_time", self_.process.start_time},
                  {"host", self_.process.host},
                  {"boot", self_.boot}};
  const std::string head = json.dump() + '\n';
  const std::string text = head + text_of(0) + '\n';
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fdatasync(file.get()) != 0) {
    const int reason = errno;
    ::unlink(path.c_str());
    errno = reason;
    fail("cannot write", path);
  }
  beat_at_ = static_cast<off_t>(head.size());
  file_ = std::move(file);
  if (!is_taken_over()) return true;
  ::unlink(path.c_str());  // it looked at a run as it was long ago
  file_.reset();
  return false;
}

bool OwnerRecord::is_taken_over() const {
  const auto numbers = numbers_in(run_);
  return !numbers.empty() && numbers.back() > number_;
}

void OwnerRecord::start_beating() {
  sigset_t all, before;  // the signals of this process are for its other threads
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { beat(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    write_beat(std::string(released));
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void OwnerRecord::beat() {
  std::unique_lock lock(mutex_);
  for (std::uint64_t count = 1; !wake_.wait_for(lock, self_.times.beat, [this] { return is_over_; });
       ++count) {
    if (is_taken_over()) {
      is_lost_ = true;
      fmt::print(stderr,
                 "error: another process has taken over {}, since this one gave no sign of life: stopping\n",
                 run_.filename().string());
      ::kill(::getpid(), SIGTERM);
      return;
    }
    write_beat(text_of(count));
  }
}

/// As many bytes as were there: it needs no place on a disk that is full.
void OwnerRecord::write_beat(const std::string& text) const {
  if (::pwrite(file_.get(), text.data(), text.size(), beat_at_) > 0) ::fdatasync(file_.get());
}

OwnerRecord::~OwnerRecord() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (file_ && !is_lost_) write_beat(std::string(released));
}

}  // namespace kernmill
