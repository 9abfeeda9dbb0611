#include "kernmill/storage/sealed/key.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::storage {
namespace {

constexpr std::size_t digits = 2 * Key::size;

/// Bytes that are overwritten when they go.
template <std::size_t n>
struct Secret {
  std::array<char, n> bytes{};
  std::size_t used = 0;
  Secret() = default;
  ~Secret() { OPENSSL_cleanse(bytes.data(), n); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
};

int value_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<Key> from_digits(std::string_view text) {
  if (text.size() != digits) return std::nullopt;
  Secret<Key::size> secret;
  for (std::size_t i = 0; i < Key::size; ++i) {
    const int high = value_of(text[2 * i]), low = value_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    secret.bytes[i] = static_cast<char>(high * 16 + low);
  }
  return Key(std::as_bytes(std::span(secret.bytes)));
}

class KeyFile {
 public:
  explicit KeyFile(const std::filesystem::path& file)
      : file_(file), fd_(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) throw system_error(file, "read the key", errno);
  }
  ~KeyFile() { ::close(fd_); }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  void require_private() const {
    struct stat status {};
    if (fstat(fd_, &status) != 0) throw system_error(file_, "look at the key", errno);
    const std::string name = file_.string();
    if (!S_ISREG(status.st_mode)) throw Error(name + ": is not a regular file, and so no key");
    if (status.st_uid != geteuid())
      throw Error(name + ": the key belongs to another user. Use a file of your own");
    if ((status.st_mode & 077) != 0)
      throw Error(
          fmt::format("{0}: others may use this key (its mode is {1:04o}). "
                      "Make it yours alone: chmod 600 {0}",
                      name, status.st_mode & 07777));
  }
  // One byte more than any key has shows a file that is too long.
  template <std::size_t n>
  void read(Secret<n>& into) const {
    while (into.used < n) {
      const ssize_t got = ::read(fd_, into.bytes.data() + into.used, n - into.used);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw system_error(file_, "read the key", errno);
      if (got == 0) return;
      into.used += static_cast<std::size_t>(got);
    }
  }

 private:
  std::filesystem::path file_;
  int fd_;
};

/// A limit of 1, not 0: the kernel takes that for "none at all", where 0 lets a program such as
/// systemd-coredump have it. (A process that is not dumpable has none, either, but other ranks could not read
/// its memory, which MPI does within a node.)
void leave_no_core_file() noexcept {
  rlimit limit{1, 1};
  if (setrlimit(RLIMIT_CORE, &limit) == 0) return;
  limit = {0, 0};  // the hard limit was 0
  (void)setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace

Key::Key(std::span<const std::byte, size> bytes) {
  std::memcpy(bytes_.data(), bytes.data(), size);
}

Key::~Key() {
  OPENSSL_cleanse(bytes_.data(), size);
}

Key Key::from_file(const std::filesystem::path& file) {
  leave_no_core_file();
  const KeyFile opened(file);
  opened.require_private();
  Secret<digits + 3> secret;
  opened.read(secret);
  std::string_view text(secret.bytes.data(), secret.used);
  if (text.size() == size) return Key(std::as_bytes(std::span(text)).first<size>());
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (const auto key = from_digits(text)) return *key;
  throw Error(
      fmt::format("{0}: is no key of 32 bytes or 64 hexadecimal digits. "
                  "Make one: (umask 077; openssl rand -hex 32 > FILE)",
                  file.string()));
}

Key Key::from_environment(const std::string& variable) {
  leave_no_core_file();
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr)
    throw Error(
        fmt::format("the environment has no variable {0}, which should hold the key. Set it to 64 "
                    "hexadecimal digits where the task runs",
                    variable));
  if (const auto key = from_digits(value)) return *key;
  throw Error(
      fmt::format("the variable {0} does not hold 64 hexadecimal digits. "
                  "Make a key: openssl rand -hex 32",
                  variable));
}

}  // namespace kernmill::storage
