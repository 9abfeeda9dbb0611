#include "kernmill/os/replace_file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/os/durable_file.hpp"

namespace kernmill {
namespace {

/// Differs between machines, processes and calls.
std::string unique_suffix() {
  static std::atomic<unsigned> calls{0};
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}.{}.{}.tmp", host.data(), ::getpid(), calls++);
}

}  // namespace

void replace_file(const std::filesystem::path& path, const std::string& content) {
  make_directories(path.parent_path());
  const auto beside = path.parent_path() / fmt::format(".{}.{}", path.filename().string(), unique_suffix());
  try {
    std::ofstream file(beside, std::ios::binary);
    file << content;
    file.close();
    if (!file) throw std::system_error(errno, std::generic_category(), "cannot write " + path.string());
    std::filesystem::rename(beside, path);
  } catch (...) {
    std::error_code none;
    std::filesystem::remove(beside, none);
    throw;
  }
}

}  // namespace kernmill
