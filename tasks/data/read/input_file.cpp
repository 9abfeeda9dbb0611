#include "kernmill/tasks/data/read/input_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/storage/file/durable.hpp"
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

/// Where compressed files lie expanded for a moment, and what they are encrypted with there.
class ExpandedFiles {
 public:
  /// Collective.
  ExpandedFiles(const Communicator& comm, const Scratch& scratch, std::size_t files) : scratch_(scratch) {
    comm.agree([&] {
      for (std::size_t i = 0; i < files && comm.is_root(); ++i)
        paths_.push_back(
            storage::temporary_beside(scratch.directory / fmt::format("expanded-{}", i)).string());
    });
    share_texts(comm, paths_);
    if (!scratch.key) return;
    salts_.resize(files);
    if (comm.is_root())
      for (auto& salt : salts_) salt = storage::ScratchCipher(*scratch.key).salt();
    const auto bytes = std::as_writable_bytes(std::span(salts_));
    comm.bcast(std::span(reinterpret_cast<char*>(bytes.data()), bytes.size()));
  }

  /// That nobody can foresee, and put a link there.
  [[nodiscard]] fs::path path(std::size_t index) const { return paths_[index]; }
  [[nodiscard]] std::optional<storage::ScratchCipher> cipher(std::size_t index) const {
    if (!scratch_.key) return std::nullopt;
    return std::make_optional<storage::ScratchCipher>(*scratch_.key, salts_[index]);
  }

 private:
  const Scratch& scratch_;
  std::vector<std::string> paths_;
  std::vector<storage::ScratchCipher::Salt> salts_;
};

/// zlib's decompressor of gzip's members.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream* operator->() { return &stream_; }
  int next(std::span<char> out) {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    return inflate(&stream_, Z_NO_FLUSH);
  }
  void start_anew() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

/// Expands a file of gzip's format: its members, one behind the other, and nothing else. (zlib's own reader
/// of files leaves out what else there is.)
class Expansion {
 public:
  Expansion(const InputFile& from, const fs::path& to, std::optional<storage::ScratchCipher> cipher,
            std::uint64_t max_expansion)
      : from_(from),
        cipher_(std::move(cipher)),
        max_expansion_(max_expansion),
        out_(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {
    if (out_ < 0)
      throw TaskError(fmt::format("cannot expand {} into {}: {}", name(), to.string(), std::strerror(errno)));
  }
  ~Expansion() {
    if (out_ >= 0) close(out_);
  }
  Expansion(const Expansion&) = delete;
  Expansion& operator=(const Expansion&) = delete;

  void run() {
    std::string expanded(chunk, '\0');
    while (true) {
      fill();
      const int status = inflater_.next(expanded);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        fail(inflater_->msg == nullptr ? "its data are damaged" : inflater_->msg);
      keep(std::span(expanded).first(chunk - inflater_->avail_out));
      if (status == Z_STREAM_END) {
        if (!find_next_member()) return;
        inflater_.start_anew();
      } else if (inflater_->avail_in == 0 && read_ == from_.size() && inflater_->avail_out > 0) {
        fail("it is cut off");
      }
    }
  }

 private:
  [[nodiscard]] std::string name() const { return from_.named().string(); }

  [[noreturn]] void fail(const std::string& reason) const {
    throw TaskError(fmt::format("{} cannot be expanded: {}", name(), reason), {},
                    "is the file complete? `gzip -t` tells");
  }

  /// Has something of the file at hand, unless it has ended.
  void fill() {
    if (inflater_->avail_in > 0) return;
    input_ = from_.read(read_, chunk);
    read_ += input_.size();
    inflater_->next_in = reinterpret_cast<Bytef*>(input_.data());
    inflater_->avail_in = static_cast<uInt>(input_.size());
  }

  /// False at the end of the file, which may be padded with zeros.
  bool find_next_member() {
    const std::uint64_t at = read_ - inflater_->avail_in;
    const std::string next = from_.read(at, 2);
    if (begins_as_gzip(next)) return true;
    for (std::uint64_t offset = at; offset < from_.size(); offset += chunk)
      if (from_.read(offset, chunk).find_first_not_of('\0') != std::string::npos)
        throw TaskError(fmt::format("the last {} bytes of {} are not compressed", from_.size() - at, name()),
                        fmt::format("{}:{}:1", name(), lines_ + 1),
                        "compress what was appended, too: gzip files may stand behind each other");
    return false;
  }

  void keep(std::span<char> expanded) {
    lines_ += static_cast<std::uint64_t>(std::count(expanded.begin(), expanded.end(), '\n'));
    if (cipher_) cipher_->apply(0, written_, std::as_writable_bytes(expanded));
    written_ += expanded.size();
    require_likely();
    write_all({expanded.data(), expanded.size()});
  }

  void require_likely() const {
    constexpr std::uint64_t harmless = std::uint64_t{64} << 20;
    if (written_ <= harmless || written_ / max_expansion_ <= from_.size()) return;
    throw TaskError(
        fmt::format("{} expands to more than {} times its {} bytes", name(), max_expansion_, from_.size()),
        {},
        fmt::format("a file like this is mostly made to fill a disk. Where it is data (zeros, say): "
                    "max_expansion: {}",
                    10 * max_expansion_));
  }

  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = write(out_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        throw TaskError(fmt::format("cannot expand {}: {}", name(), std::strerror(errno)), {},
                        "free space in the run directory");
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  const InputFile& from_;
  std::optional<storage::ScratchCipher> cipher_;
  Inflater inflater_;
  std::uint64_t max_expansion_;
  std::string input_;  ///< what the inflater is at
  std::uint64_t read_ = 0, written_ = 0, lines_ = 0;
  int out_;
};

}  // namespace

InputFile::InputFile(const fs::path& file, fs::path named, std::optional<storage::ScratchCipher> cipher)
    : named_(std::move(named)), cipher_(std::move(cipher)) {
  fd_ = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // what is no file is not waited for
  if (fd_ < 0)
    throw TaskError(fmt::format("cannot read {}: {}", named_.string(), std::strerror(errno)), {},
                    "check the path and the permissions of the file");
  struct stat status {};
  if (fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  close(fd_);
  if (S_ISDIR(status.st_mode))
    throw TaskError(fmt::format("{} is a directory, not a CSV file", named_.string()));
  throw TaskError(fmt::format("{} is not a regular file", named_.string()), {},
                  "ranks read different places of a file at once: write what comes from a pipe into one");
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

namespace {

/// Collective.
void expand_and_open(const Communicator& comm, const std::vector<std::string>& names,
                     const ExpandedFiles& expanded, std::uint64_t max_expansion, InputFiles& files) {
  std::vector<bool> compressed;
  comm.agree([&] {
    for (std::size_t i = 0; i < names.size(); ++i) {
      files.push_back(std::make_shared<InputFile>(names[i]));
      compressed.push_back(begins_as_gzip(files.back()->read(0, 2)));
      if (compressed[i] && i % static_cast<std::size_t>(comm.size()) == static_cast<std::size_t>(comm.rank()))
        Expansion(*files[i], expanded.path(i), expanded.cipher(i), max_expansion).run();
    }
  });
  comm.agree([&] {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (compressed[i])
        files[i] = std::make_shared<InputFile>(expanded.path(i), names[i], expanded.cipher(i));
  });
}

}  // namespace

InputFiles open_input_files(const Communicator& comm, const fs::path& path, const Scratch& scratch,
                            std::uint64_t max_expansion) {
  std::vector<std::string> names;
  comm.agree([&] {
    if (comm.is_root()) names = files_of(path);
  });
  share_texts(comm, names);
  const ExpandedFiles expanded(comm, scratch, names.size());
  InputFiles files;
  const auto remove_expanded = [&] {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (comm.is_root()) storage::remove_quietly(expanded.path(i));
  };
  try {
    expand_and_open(comm, names, expanded, max_expansion, files);
  } catch (...) {
    remove_expanded();
    throw;
  }
  remove_expanded();  // open everywhere by now
  return files;
}

}  // namespace kernmill::tasks
