#include "kernmill/run/cache/digest.hpp"

#include <cerrno>
#include <chrono>
#include <span>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/replace_file.hpp"
#include "kernmill/run/cache/own_cache.hpp"
#include "kernmill/run/directory/trust.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t block_size = std::size_t{1} << 20;
/// A file that was changed this short a time ago may change once more and keep its time: some file systems
/// keep whole seconds only, or pairs of them, and the clock of a file server may be a little behind ours.
constexpr std::chrono::milliseconds coarsest_time_stamp{2'100};

[[noreturn]] void fail(int code, const std::string& what, const fs::path& file) {
  throw std::system_error(code, std::generic_category(), what + " " + file.string());
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

DigestStore::DigestStore(const fs::path& runs_root, Clock now)
    : runs_root_(fs::absolute(runs_root)), cache_(own_cache_directory(runs_root)), now_(std::move(now)) {}

bool DigestStore::may_be_changed_unseen(const Stamp& stamp, std::chrono::system_clock::time_point then) {
  return std::chrono::nanoseconds(stamp.changed) + coarsest_time_stamp > then.time_since_epoch();
}

std::string DigestStore::sha256(const fs::path& given) {
  const fs::path file = fs::absolute(given).lexically_normal();
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    const auto begun = now_();  // before the stamp: what is written while we read has to be seen, too
    const Stamp before = stamp_of(file);
    if (const auto known = recall(file); known && known->stamp == before) return known->digest;
    const Known now{before, read(file)};
    if (stamp_of(file) != before) continue;  // written to meanwhile
    if (!may_be_changed_unseen(before, begun)) remember(file, now);
    return now.digest;
  }
  fail(EBUSY, "cannot take the digest of a file that changes while it is read:", file);
}

DigestStore::Stamp DigestStore::stamp_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) fail(errno, "cannot read", file);
  if (!S_ISREG(info.st_mode)) fail(S_ISDIR(info.st_mode) ? EISDIR : EINVAL, "not a regular file:", file);
  return {static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim),
          info.st_ino};
}

void DigestStore::link(const fs::path& from, const fs::path& to, std::error_code& error) {
  const fs::path file = fs::absolute(from).lexically_normal();
  auto known = recall(file);
  const bool is_current = known && known->stamp == stamp_of(file);
  fs::create_hard_link(from, to, error);
  if (error || !is_current) return;
  const Stamp linked = stamp_of(file);
  known->stamp.changed = linked.changed;
  if (known->stamp != linked) return;  // somebody wrote to it just now
  remember(file, *known);
  remember(fs::absolute(to).lexically_normal(), *known);
}

std::string DigestStore::read(const fs::path& file) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor) fail(errno, "cannot read", file);
  Sha256 hash;
  std::vector<std::byte> block(block_size);
  while (true) {
    const ssize_t size = ::read(descriptor.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(errno, "cannot read", file);
    if (size == 0) return hexadecimal(hash.finish());
    hash.add(std::span(block).first(static_cast<std::size_t>(size)));
    bytes_read_ += static_cast<std::uint64_t>(size);
  }
}

fs::path DigestStore::place_of(const fs::path& file) const {
  const std::string name = kernmill::sha256(file.string());
  return cache_ / "digests" / name.substr(0, 2) / (name + ".json");
}

std::optional<DigestStore::Known> DigestStore::recall(const fs::path& file) const {
  if (const auto found = known_.find(file); found != known_.end()) return found->second;
  const auto text = cache_.empty() ? std::nullopt : read_own_file(place_of(file));
  if (!text) return {};
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  try {  // what is damaged was never remembered
    if (json.at("path") != file.string()) return {};
    return Known{{json.at("size"), json.at("mtime_ns"), json.at("ctime_ns"), json.at("inode")},
                 json.at("sha256")};
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

void DigestStore::remember(const fs::path& file, const Known& known) {
  known_[file] = known;
  if (!fs::is_directory(runs_root_)) return;
  const nlohmann::json json{
      {"path", file.string()},           {"size", known.stamp.size},   {"mtime_ns", known.stamp.modified},
      {"ctime_ns", known.stamp.changed}, {"inode", known.stamp.inode}, {"sha256", known.digest}};
  try {
    make_own_cache_directory(cache_);
    replace_file(place_of(file), json.dump() + "\n");
  } catch (const std::system_error&) {  // as promised: the next one computes it again
  }
}

}  // namespace kernmill
