#include "kernmill/run/cache/digest.hpp"

#include <cerrno>
#include <chrono>
#include <fstream>
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

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t block_size = std::size_t{1} << 20;
/// Time stamps of file systems are this coarse at worst: a file younger than that may change once more and
/// keep its time stamp.
constexpr std::chrono::milliseconds coarsest_time_stamp{100};

[[noreturn]] void fail(int code, const std::string& what, const fs::path& file) {
  throw std::system_error(code, std::generic_category(), what + " " + file.string());
}

bool may_still_change(std::int64_t modified) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(modified) + coarsest_time_stamp > now;
}

}  // namespace

DigestStore::DigestStore(const fs::path& runs_root) : runs_root_(fs::absolute(runs_root)) {}

std::string DigestStore::sha256(const fs::path& given) {
  const fs::path file = fs::absolute(given).lexically_normal();
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    const Stamp before = stamp_of(file);
    if (const auto known = recall(file); known && known->stamp == before) return known->digest;
    const Known now{before, read(file)};
    if (stamp_of(file) != before) continue;  // written to meanwhile
    if (!may_still_change(before.modified)) remember(file, now);
    return now.digest;
  }
  fail(EBUSY, "cannot take the digest of a file that changes while it is read:", file);
}

DigestStore::Stamp DigestStore::stamp_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) fail(errno, "cannot read", file);
  if (!S_ISREG(info.st_mode)) fail(S_ISDIR(info.st_mode) ? EISDIR : EINVAL, "not a regular file:", file);
  return {static_cast<std::uint64_t>(info.st_size),
          std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_ino};
}

std::string DigestStore::read(const fs::path& file) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
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
  return runs_root_ / ".cache" / "digests" / name.substr(0, 2) / (name + ".json");
}

std::optional<DigestStore::Known> DigestStore::recall(const fs::path& file) const {
  if (const auto found = known_.find(file); found != known_.end()) return found->second;
  std::ifstream stream(place_of(file));
  if (!stream) return {};
  const auto json = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  try {  // what is damaged was never remembered
    if (json.at("path") != file.string()) return {};
    return Known{{json.at("size"), json.at("mtime_ns"), json.at("inode")}, json.at("sha256")};
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

void DigestStore::remember(const fs::path& file, const Known& known) {
  known_[file] = known;
  if (!fs::is_directory(runs_root_)) return;
  const nlohmann::json json{{"path", file.string()},
                            {"size", known.stamp.size},
                            {"mtime_ns", known.stamp.modified},
                            {"inode", known.stamp.inode},
                            {"sha256", known.digest}};
  try {
    replace_file(place_of(file), json.dump() + "\n");
  } catch (const std::system_error&) {  // as promised: the next one computes it again
  }
}

}  // namespace kernmill
