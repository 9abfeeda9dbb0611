#include "kernmill/exec/pack/slot_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/exec/attempt/metrics_file.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_beside.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"
#include "kernmill/run/directory/slot_log.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_on(const fs::path& file, const char* what) {
  throw std::system_error(errno, std::generic_category(), std::string(what) + " " + file.string());
}

std::string drawn_token() {
  std::array<unsigned char, 12> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "no random numbers");
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::uintmax_t size_of(const FileDescriptor& log, const fs::path& file) {
  struct stat status {};
  if (::fstat(log.get(), &status) != 0) fail_on(file, "cannot look at");
  return static_cast<std::uintmax_t>(status.st_size);
}

void copy_from(const fs::path& from, std::uintmax_t begin, const fs::path& to) {
  std::ifstream source(from, std::ios::binary);
  source.seekg(static_cast<std::streamoff>(begin));
  FileBeside target(to, mode_of_files_in(to.parent_path().c_str()).value_or(0600));
  std::array<char, 65536> block{};
  while (source.read(block.data(), block.size()) || source.gcount() > 0)
    target.write({block.data(), static_cast<std::size_t>(source.gcount())});
  target.take_place();
}

}  // namespace

SlotLog::SlotLog(fs::path file)
    : file_(std::move(file)),
      log_(open_log(file_.c_str())),
      text_(::open(file_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!log_ || !text_) fail_on(file_, "cannot write");
  if (size_of(log_, file_) == 0) append(slot_log_head(drawn_token()));
  std::array<char, 128> beginning{};
  const ssize_t read = ::pread(text_.get(), beginning.data(), beginning.size(), 0);
  const std::string_view head(beginning.data(), static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
  mark_ = section_mark(head.substr(0, head.find('\n')));
}

void SlotLog::begin(const std::string& title) {
  const std::uintmax_t size = size_of(log_, file_);
  char last = '\n';
  if (::pread(text_.get(), &last, 1, static_cast<off_t>(size) - 1) < 0) fail_on(file_, "cannot read");
  append((last == '\n' ? "" : "\n") + mark_ + title + '\n');
  begin_ = size_of(log_, file_);
}

void SlotLog::append(const std::string& line) {
  if (::write(log_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    fail_on(file_, "cannot write");
}

void SlotLog::add(const fs::path& file) {
  std::ifstream source(file, std::ios::binary);
  std::array<char, 65536> block{};
  while (source.read(block.data(), block.size()) || source.gcount() > 0)
    append(std::string(block.data(), static_cast<std::size_t>(source.gcount())));
}

void SlotLog::copy_section(const fs::path& to) const {
  copy_from(file_, begin_, to);
}

SlotFiles::SlotFiles(fs::path directory)
    : directory_(std::move(directory)), out_((make_directories(work()), out())), err_(err()) {}

void SlotFiles::begin(const std::string& title) {
  out_.begin(title);
  err_.begin(title);
}

void SlotFiles::keep(const fs::path& attempt_directory) {
  make_directories(attempt_directory.parent_path());
  fs::rename(work(), attempt_directory);  // one that was made for it already is empty
  out_.copy_section(attempt_directory / "out.log");
  err_.copy_section(attempt_directory / "err.log");
  make_directories(work());
}

void SlotFiles::keep_metrics(const std::string& title) const {
  SlotLog log(directory_ / slot_metrics);
  log.begin(title);
  log.add(work() / metrics_file);
}

void SlotFiles::clear() const {
  for (const auto& entry : fs::directory_iterator(work())) fs::remove_all(entry.path());
}

void SlotFiles::close() const {
  std::error_code ignored;
  fs::remove_all(work(), ignored);
}

}  // namespace kernmill::exec
