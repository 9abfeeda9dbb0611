#include "kernmill/exec/pack/slot_files.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_beside.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

FileDescriptor opened(const fs::path& file) {
  FileDescriptor log(open_log(file.c_str()));
  if (!log) throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
  return log;
}

/// Appends a line; gives the file's size after it.
std::uintmax_t append_line(const FileDescriptor& log, const fs::path& file, const std::string& line) {
  struct stat status {};
  if (::write(log.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      ::fstat(log.get(), &status) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
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

SlotFiles::SlotFiles(fs::path directory) : directory_(std::move(directory)) {
  make_directories(work());
  out_ = opened(out());
  err_ = opened(err());
}

void SlotFiles::begin(const std::string& title) {
  out_begin_ = append_line(out_, out(), "==> " + title + '\n');
  err_begin_ = append_line(err_, err(), "==> " + title + '\n');
}

void SlotFiles::keep(const fs::path& attempt_directory) {
  make_directories(attempt_directory.parent_path());
  fs::rename(work(), attempt_directory);  // one that was made for it already is empty
  copy_from(out(), out_begin_, attempt_directory / "out.log");
  copy_from(err(), err_begin_, attempt_directory / "err.log");
  make_directories(work());
}

void SlotFiles::clear() const {
  for (const auto& entry : fs::directory_iterator(work())) fs::remove_all(entry.path());
}

void SlotFiles::close() const {
  std::error_code ignored;
  fs::remove_all(work(), ignored);
}

}  // namespace kernmill::exec
