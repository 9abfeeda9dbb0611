#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernmill/cli/doctor/doctor_checks.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/report/quantity.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli::doctor {
namespace {

using Status = Check::Status;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

Check file_check(const char* name) {
  return {.group = "Files", .name = name, .text = {}, .advice = {}};
}

std::string reason() {
  return std::generic_category().message(errno);
}

/// Files of ours in a folder; gone with the object.
class Probe {
 public:
  explicit Probe(const fs::path& folder) : folder_(folder) {}
  ~Probe() {
    for (const fs::path& file : made_) ::unlink(file.c_str());
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  [[nodiscard]] fs::path path(const std::string& name) const {
    return folder_ / fmt::format(".kernmill-doctor-{:08x}-{}", number_, name);
  }
  /// Invalid when it cannot be made; errno says why. Nothing that somebody has put there is opened.
  FileDescriptor open(const std::string& name, int flags) {
    const int only_new = (flags & O_CREAT) != 0 ? O_EXCL : 0;
    FileDescriptor file(::open(path(name).c_str(), flags | only_new | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file) made_.push_back(path(name));
    return file;
  }

 private:
  fs::path folder_;
  unsigned number_ = std::random_device{}();
  std::vector<fs::path> made_;
};

std::string file_system_name(std::int64_t magic) {
  static constexpr std::pair<std::int64_t, const char*> known[] = {
      {0xEF53, "ext4"},        {0x58465342, "xfs"},  {0x9123683E, "btrfs"},  {0x01021994, "tmpfs"},
      {0x794C7630, "overlay"}, {0x6969, "nfs"},      {0x0BD00BD0, "lustre"}, {0x47504653, "gpfs"},
      {0x19830326, "beegfs"},  {0x00C36400, "ceph"}, {0x65735546, "fuse"},   {0xFE534D42, "smb2"},
      {0xFF534D42, "cifs"},    {0x2FC12FC1, "zfs"},  {0x01021997, "9p"},     {0x20030528, "orangefs"}};
  for (const auto& [number, name] : known)
    if (number == magic) return name;
  return fmt::format("type {:#x}", magic);
}

fs::path nearest_existing(fs::path folder) {
  std::error_code none;
  while (!fs::exists(folder, none) && folder.has_parent_path() && folder != folder.root_path())
    folder = folder.parent_path();
  return folder;
}

Check space_check(const fs::path& root, const fs::path& folder) {
  constexpr std::uint64_t little = 1ull << 30u;
  Check check = file_check("run root");
  struct statvfs space {};
  struct statfs kind {};
  if (::statvfs(folder.c_str(), &space) != 0 || ::statfs(folder.c_str(), &kind) != 0) {
    check.status = Status::fail;
    check.text = fmt::format("{}: {}", folder.string(), reason());
    return check;
  }
  const std::uint64_t bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  const std::string name = file_system_name(static_cast<std::int64_t>(kind.f_type));
  check.values = {
      {"root", root.string()}, {"exists", folder == root}, {"file_system", name}, {"free_bytes", bytes}};
  check.text = fmt::format("{}{}: {}, {} free", root.string(), folder == root ? "" : " (to be made)", name,
                           bytes_text(bytes));
  if (bytes < little || space.f_favail == 0) {
    check.status = Status::warning;
    check.advice = "a run stops when its file system is full; --runs DIR puts runs elsewhere";
  } else if (name == "tmpfs") {
    check.status = Status::warning;
    check.advice = "tmpfs is the memory of this machine: other nodes do not see it, and a restart empties it";
  }
  return check;
}

Check lock_check(Probe& probe) {
  Check check = file_check("locks");
  const FileDescriptor first = probe.open("lock", O_RDWR | O_CREAT);
  const FileDescriptor second = probe.open("lock", O_RDWR);
  const bool taken = first && second && ::flock(first.get(), LOCK_EX | LOCK_NB) == 0;
  if (!taken) {
    check.status = Status::fail;
    check.text = "flock: " + reason();
  } else if (::flock(second.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
    check.status = Status::fail;
    check.text = "flock gives the same lock twice";
  } else {
    check.text = "flock keeps others out";
    return check;
  }
  check.advice =
      "two conductors could carry out one run; on Lustre mount with -o flock, on NFS run lockd or use "
      "version 4";
  return check;
}

Check exclusive_check(Probe& probe) {
  Check check = file_check("exclusive files");
  const FileDescriptor first = probe.open("exclusive", O_WRONLY | O_CREAT | O_EXCL);
  const std::string why = reason();
  const FileDescriptor again = probe.open("exclusive", O_WRONLY | O_CREAT | O_EXCL);
  const bool refused = !again && errno == EEXIST;
  check.text = first && refused ? "a file can be made by one only"
               : !first         ? "O_EXCL: " + why
                                : "O_EXCL makes a file twice";
  if (!first || !refused) {
    check.status = Status::fail;
    check.advice = "two people could submit the same jobs; put runs on another file system with --runs";
  }
  return check;
}

/// The median of five times to write a file and have it on disk; nothing when it cannot be written.
std::optional<Milliseconds> time_to_sync(Probe& probe, std::size_t bytes) {
  const std::string content(bytes, 'k');
  std::array<Milliseconds, 5> times{};
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto start = Clock::now();
    const FileDescriptor file = probe.open(fmt::format("sync-{}-{}", bytes, i), O_WRONLY | O_CREAT | O_TRUNC);
    if (!file || ::write(file.get(), content.data(), bytes) != static_cast<ssize_t>(bytes) ||
        ::fsync(file.get()) != 0)
      return {};
    times[i] = Clock::now() - start;
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Check sync_check(Probe& probe) {
  constexpr Milliseconds slow{500};
  Check check = file_check("write and sync");
  const auto small = time_to_sync(probe, 4096);
  const std::string why = reason();
  const auto large = small ? time_to_sync(probe, 1u << 20u) : std::nullopt;
  if (!small || !large) {
    check.status = Status::fail;
    check.text = "cannot write: " + (small ? reason() : why);
    check.advice = "a run writes its journal here; --runs DIR puts runs elsewhere";
    return check;
  }
  check.values = {{"milliseconds_4k", small->count()}, {"milliseconds_1m", large->count()}};
  check.text =
      fmt::format("4 KiB in {:.1f} ms, 1 MiB in {:.1f} ms (median of 5)", small->count(), large->count());
  if (*small > slow) {
    check.status = Status::warning;
    check.advice =
        "every start and end of an instance waits that long; pack small instances, or put runs elsewhere";
  }
  return check;
}

Check clock_check(Probe& probe) {
  using Seconds = std::chrono::duration<double>;
  const auto now = [] { return Seconds(std::chrono::system_clock::now().time_since_epoch()); };
  constexpr Seconds tolerated{2};
  Check check = file_check("clock");
  const Seconds before = now();
  const FileDescriptor file = probe.open("clock", O_WRONLY | O_CREAT | O_TRUNC);
  struct stat status {};
  if (!file || ::write(file.get(), "k", 1) != 1 || ::fsync(file.get()) != 0 ||
      ::fstat(file.get(), &status) != 0) {
    check.status = Status::fail;
    check.text = "cannot write: " + reason();
    return check;
  }
  const Seconds stamp =
      std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  const Seconds skew = stamp < before ? stamp - before : stamp > now() ? stamp - now() : Seconds(0);
  check.values = {{"skew_seconds", skew.count()}};
  check.text = std::abs(skew.count()) < 0.05
                   ? "files are stamped with this machine's time"
                   : fmt::format("files are stamped {:+.1f} s off this machine's time", skew.count());
  if (std::abs(skew.count()) > tolerated.count()) {
    check.status = Status::warning;
    check.advice = "times in logs and reports will not fit; let NTP or chrony set the clocks";
  }
  return check;
}

}  // namespace

std::vector<Check> check_files(const fs::path& root) {
  const fs::path folder = nearest_existing(root);
  std::vector<Check> checks{space_check(root, folder)};
  Probe probe(folder);
  checks.push_back(sync_check(probe));
  if (checks.back().status == Status::fail) return checks;
  checks.push_back(lock_check(probe));
  checks.push_back(exclusive_check(probe));
  checks.push_back(clock_check(probe));
  Check shared = file_check("seen by all nodes");
  shared.status = Status::note;
  shared.text = "cannot be told from here; jobs have to find this folder under the same name";
  checks.push_back(shared);
  return checks;
}

}  // namespace kernmill::cli::doctor
