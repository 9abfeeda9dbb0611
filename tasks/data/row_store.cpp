#include "kernmill/tasks/data/row_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t largest_block = std::uint64_t{4} << 20;  // in bytes: large enough to hide the calls

[[noreturn]] void scratch_failed(const Buffer& buffer, const char* what, int error) {
  throw TaskError(fmt::format("cannot {} a scratch file in {}: {}", what, buffer.scratch_directory.string(),
                              std::strerror(error)),
                  {}, "free space there, or give the stage more memory: `buffer`");
}

int open_scratch(const Buffer& buffer) {
  std::string pattern = (buffer.scratch_directory / ".scratch-XXXXXX").string();
  const int fd = mkstemp(pattern.data());
  if (fd < 0) scratch_failed(buffer, "make", errno);
  unlink(pattern.c_str());
  return fd;
}

}  // namespace

RowStore::RowStore(std::uint64_t width, Buffer buffer)
    : width_(std::max<std::uint64_t>(width, 1)), buffer_(std::move(buffer)) {
  const std::uint64_t row_bytes = width_ * sizeof(double);
  block_rows_ = std::max<std::uint64_t>(1, std::min(buffer_.bytes / 4, largest_block) / row_bytes);
  const std::uint64_t blocks = buffer_.bytes / (block_rows_ * row_bytes);
  blocks_in_memory_ = blocks > 2 ? blocks - 2 : 0;  // one is being filled, one is being read
  last_.resize(block_rows_ * width_);
  note_peak();
}

RowStore::~RowStore() {
  if (fd_ >= 0) close(fd_);
}

RowStore::RowStore(RowStore&& other) noexcept : RowStore(1, {sizeof(double), {}}) {
  *this = std::move(other);
}

RowStore& RowStore::operator=(RowStore&& other) noexcept {
  std::swap(width_, other.width_);
  std::swap(rows_, other.rows_);
  std::swap(used_, other.used_);
  std::swap(peak_, other.peak_);
  std::swap(block_rows_, other.block_rows_);
  std::swap(blocks_in_memory_, other.blocks_in_memory_);
  std::swap(buffer_, other.buffer_);
  std::swap(blocks_, other.blocks_);
  std::swap(last_, other.last_);
  std::swap(in_scratch_, other.in_scratch_);
  std::swap(fd_, other.fd_);
  return *this;
}

void RowStore::append(std::span<const double> row) {
  std::copy(row.begin(), row.end(), next());
  keep();
}

void RowStore::note_peak() {
  peak_ = std::max(peak_, (blocks_.size() + 1) * block_rows_ * width_);
}

void RowStore::close_block() {
  used_ = 0;
  if (blocks_.size() < blocks_in_memory_) {
    blocks_.push_back(std::exchange(last_, std::vector<double>(block_rows_ * width_)));
    note_peak();
    return;
  }
  write_scratch(in_scratch_ * block_rows_, last_);
  ++in_scratch_;
}

void RowStore::write_scratch(std::uint64_t row, std::span<const double> values) {
  if (fd_ < 0) fd_ = open_scratch(buffer_);
  auto bytes = std::as_bytes(values);
  auto offset = static_cast<off_t>(row * width_ * sizeof(double));
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) scratch_failed(buffer_, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
}

void RowStore::read_scratch(std::uint64_t row, std::span<double> values) const {
  auto bytes = std::as_writable_bytes(values);
  auto offset = static_cast<off_t>(row * width_ * sizeof(double));
  while (!bytes.empty()) {
    const ssize_t n = pread(fd_, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) scratch_failed(buffer_, "read", n < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
}

void RowStore::resize(std::uint64_t rows) {
  while (rows_ < rows) {
    std::fill_n(next(), width_, 0.0);
    keep();
  }
}

void RowStore::put(std::uint64_t row, std::span<const double> values) {
  const std::uint64_t block = row / block_rows_;
  const auto within = static_cast<std::ptrdiff_t>(row % block_rows_ * width_);
  if (block < blocks_.size())
    std::copy(values.begin(), values.end(), blocks_[block].begin() + within);
  else if (block < blocks_.size() + in_scratch_)
    write_scratch(row - blocks_.size() * block_rows_, values);
  else
    std::copy(values.begin(), values.end(), last_.begin() + within);
}

template <class Self, class Visit>
void RowStore::walk(Self& self, const Visit& visit) {
  std::uint64_t first = 0;
  for (auto& block : self.blocks_) {
    visit(first, std::span(block));
    first += self.block_rows_;
  }
  std::vector<double> read(self.in_scratch_ > 0 ? self.block_rows_ * self.width_ : 0);
  for (std::uint64_t i = 0; i < self.in_scratch_; ++i) {
    self.read_scratch(i * self.block_rows_, read);
    visit(first, std::span(read));
    if constexpr (!std::is_const_v<Self>) self.write_scratch(i * self.block_rows_, read);
    first += self.block_rows_;
  }
  if (self.used_ > 0) visit(first, std::span(self.last_).first(self.used_ * self.width_));
}

void RowStore::each_block(const Work& work) const {
  walk(*this, work);
}

void RowStore::update(const Change& change) {
  walk(*this, change);
}

void recode(RowStore& rows, const std::vector<std::vector<double>>& values) {
  if (std::all_of(values.begin(), values.end(), [](const auto& v) { return v.empty(); })) return;
  rows.update([&](std::uint64_t, std::span<double> block) {
    for (std::uint64_t i = 0; i < block.size(); i += rows.width())
      for (std::size_t c = 0; c < values.size(); ++c)
        if (double& code = block[i + c]; !values[c].empty() && !std::isnan(code))
          code = values[c][static_cast<std::size_t>(code)];
  });
}

}  // namespace kernmill::tasks
