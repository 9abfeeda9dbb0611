#include "kernmill/tasks/data/read/input_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/tasks/data/read/packed_texts.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t chunk = std::uint64_t{1} << 20;

std::vector<std::string> files_of(const fs::path& path) {
  const bool pattern = path.filename().string().find_first_of("*?[") != std::string::npos;
  if (!pattern) return {path.string()};
  auto files = files_of_pattern(path);
  if (files.empty())
    throw TaskError(fmt::format("no file matches {}", path.string()), {}, "check the pattern");
  return files;
}

bool is_gzip(const InputFile& file) {
  return file.read(0, 2) == "\x1F\x8B";
}

/// Where compressed files lie expanded for a moment, and what they are encrypted with there.
class ExpandedFiles {
 public:
  /// Collective.
  ExpandedFiles(const Communicator& comm, const Scratch& scratch, std::size_t files) : scratch_(scratch) {
    if (!scratch.key) return;
    salts_.resize(files);
    if (comm.is_root())
      for (auto& salt : salts_) salt = storage::ScratchCipher(*scratch.key).salt();
    const auto bytes = std::as_writable_bytes(std::span(salts_));
    comm.bcast(std::span(reinterpret_cast<char*>(bytes.data()), bytes.size()));
  }

  [[nodiscard]] fs::path path(const fs::path& file, std::size_t index) const {
    return scratch_.directory / fmt::format(".{}-{}.expanded", index, file.filename().string());
  }
  [[nodiscard]] std::optional<storage::ScratchCipher> cipher(std::size_t index) const {
    if (!scratch_.key) return std::nullopt;
    return std::make_optional<storage::ScratchCipher>(*scratch_.key, salts_[index]);
  }

 private:
  const Scratch& scratch_;
  std::vector<storage::ScratchCipher::Salt> salts_;
};

class Expansion {
 public:
  Expansion(const fs::path& from, const fs::path& to, std::optional<storage::ScratchCipher> cipher)
      : from_(from),
        cipher_(std::move(cipher)),
        in_(gzopen(from.c_str(), "rb")),
        out_(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)) {
    if (in_ != nullptr) gzbuffer(in_, 1U << 18U);
    if (in_ == nullptr || out_ < 0)
      throw TaskError(
          fmt::format("cannot expand {} into {}: {}", from.string(), to.string(), std::strerror(errno)));
  }
  ~Expansion() {
    if (in_ != nullptr) gzclose(in_);
    if (out_ >= 0) close(out_);
  }
  Expansion(const Expansion&) = delete;
  Expansion& operator=(const Expansion&) = delete;

  void run() {
    std::string buffer(chunk, '\0');
    std::uint64_t offset = 0;
    while (true) {
      const int n = gzread(in_, buffer.data(), static_cast<unsigned>(buffer.size()));
      int status = Z_OK;
      const std::string reason = gzerror(in_, &status);
      // A file that is cut off ends without an error of gzread.
      if (n < 0 || (n == 0 && status != Z_OK && status != Z_STREAM_END))
        throw TaskError(fmt::format("{} cannot be expanded: {}", from_.string(), reason), {},
                        "is the file complete? `gzip -t` tells");
      if (n == 0) return;
      const std::span expanded(buffer.data(), static_cast<std::size_t>(n));
      if (cipher_) cipher_->apply(0, offset, std::as_writable_bytes(expanded));
      write_all({expanded.data(), expanded.size()});
      offset += expanded.size();
    }
  }

 private:
  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = write(out_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        throw TaskError(fmt::format("cannot expand {}: {}", from_.string(), std::strerror(errno)), {},
                        "free space in the run directory");
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  fs::path from_;
  std::optional<storage::ScratchCipher> cipher_;
  gzFile in_;
  int out_;
};

}  // namespace

InputFile::InputFile(const fs::path& file, fs::path named, std::optional<storage::ScratchCipher> cipher)
    : named_(std::move(named)), cipher_(std::move(cipher)) {
  std::error_code error;
  if (fs::is_directory(file, error))
    throw TaskError(fmt::format("{} is a directory, not a CSV file", named_.string()));
  fd_ = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0)
    throw TaskError(fmt::format("cannot read {}: {}", named_.string(), std::strerror(errno)), {},
                    "check the path and the permissions of the file");
  size_ = fs::file_size(file, error);
}

InputFile::~InputFile() {
  if (fd_ >= 0) close(fd_);
}

std::uint64_t InputFile::read(std::uint64_t offset, char* to, std::uint64_t count) const {
  std::uint64_t done = 0;
  while (done < count) {
    const ssize_t n = pread(fd_, to + done, count - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw TaskError(fmt::format("cannot read {}: {}", named_.string(), std::strerror(errno)));
    if (n == 0) break;
    done += static_cast<std::uint64_t>(n);
  }
  if (cipher_) cipher_->apply(0, offset, std::as_writable_bytes(std::span(to, done)));
  return done;
}

std::string InputFile::read(std::uint64_t offset, std::uint64_t count) const {
  std::string bytes(std::min(count, size_ > offset ? size_ - offset : 0), '\0');
  bytes.resize(read(offset, bytes.data(), bytes.size()));
  return bytes;
}

InputFiles open_input_files(const Communicator& comm, const fs::path& path, const Scratch& scratch) {
  std::vector<std::string> names;
  comm.agree([&] {
    if (comm.is_root()) names = files_of(path);
  });
  share_texts(comm, names);
  const ExpandedFiles expanded(comm, scratch, names.size());
  InputFiles files;
  std::vector<bool> compressed;
  comm.agree([&] {
    for (std::size_t i = 0; i < names.size(); ++i) {
      files.push_back(std::make_shared<InputFile>(names[i]));
      compressed.push_back(is_gzip(*files.back()));
      if (compressed[i] && i % static_cast<std::size_t>(comm.size()) == static_cast<std::size_t>(comm.rank()))
        Expansion(names[i], expanded.path(names[i], i), expanded.cipher(i)).run();
    }
  });
  comm.agree([&] {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (compressed[i])
        files[i] = std::make_shared<InputFile>(expanded.path(names[i], i), names[i], expanded.cipher(i));
  });
  comm.agree([&] {  // open everywhere by now: the name can go
    for (std::size_t i = 0; i < names.size(); ++i)
      if (compressed[i] && comm.is_root()) fs::remove(expanded.path(names[i], i));
  });
  return files;
}

}  // namespace kernmill::tasks
