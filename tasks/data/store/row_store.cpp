#include "kernmill/tasks/data/store/row_store.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t largest_block = std::uint64_t{4} << 20;  // in bytes: large enough to hide the calls

}  // namespace

RowStore::RowStore(std::uint64_t width, Buffer buffer)
    : RowStore(std::vector(std::max<std::uint64_t>(width, 1), storage::Element::f64), std::move(buffer)) {}

RowStore::RowStore(const std::vector<storage::Element>& types, Buffer buffer)
    : types_(types), packing_(types), width_(types.size()), buffer_(std::move(buffer)) {
  const std::uint64_t plain_bytes = width_ * sizeof(double);
  block_rows_ = std::max<std::uint64_t>(1, std::min(buffer_.bytes / 4, largest_block) / plain_bytes);
  // One block is being filled, one is being read, and those are plain.
  const std::uint64_t others = 2 * block_rows_ * plain_bytes;
  blocks_in_memory_ =
      buffer_.bytes > others ? (buffer_.bytes - others) / (block_rows_ * packing_.row_bytes()) : 0;
  last_.resize(block_rows_ * width_);
  note_peak();
}

void RowStore::append(std::span<const double> row) {
  std::copy(row.begin(), row.end(), next());
  keep();
}

void RowStore::note_peak() {
  peak_ = std::max(peak_, block_rows_ * (blocks_.size() * packing_.row_bytes() + width_ * sizeof(double)));
}

void RowStore::write_to_scratch(std::uint64_t row, std::span<const double> values, std::uint32_t generation) {
  if (packing_.is_plain()) return scratch_->write(place_in_scratch(row), std::as_bytes(values), generation);
  std::vector<std::byte> packed(values.size() / width_ * packing_.row_bytes());
  packing_.pack(values, packed);
  scratch_->write(place_in_scratch(row), packed, generation);
}

/// One of those in the scratch file.
void RowStore::read_block(std::uint64_t block, std::span<double> rows) const {
  const std::uint64_t place = place_in_scratch(block * block_rows_);
  if (packing_.is_plain()) return scratch_->read(place, std::as_writable_bytes(rows), generation_);
  std::vector<std::byte> packed(block_rows_ * packing_.row_bytes());
  scratch_->read(place, packed, generation_);
  packing_.unpack(packed, rows);
}

void RowStore::close_block(bool filled) {
  used_ = 0;
  if (blocks_.size() < blocks_in_memory_) {
    Block& block = blocks_.emplace_back();
    if (packing_.is_plain()) {
      block.rows = std::exchange(last_, LargeVector<double>(block_rows_ * width_));
    } else {
      block.packed.resize(block_rows_ * packing_.row_bytes());
      if (filled) packing_.pack(last_, block.packed);
    }
    note_peak();
    return;
  }
  if (!scratch_) scratch_ = std::make_unique<ScratchFile>(buffer_.scratch);
  if (filled) write_to_scratch(in_scratch_ * block_rows_, last_, generation_);
  ++in_scratch_;
}

void RowStore::resize(std::uint64_t rows) {
  for (; rows_ < rows; ++rows_)
    if (++used_ == block_rows_) close_block(false);
}

void RowStore::put(std::uint64_t row, std::span<const double> values) {
  const std::uint64_t index = row / block_rows_, within = row % block_rows_;
  if (index >= blocks_.size() + in_scratch_)
    std::copy(values.begin(), values.end(), last_.begin() + static_cast<std::ptrdiff_t>(within * width_));
  else if (index >= blocks_.size())
    write_to_scratch(row - blocks_.size() * block_rows_, values, generation_);
  else if (packing_.is_plain())
    std::copy(values.begin(), values.end(),
              blocks_[index].rows.begin() + static_cast<std::ptrdiff_t>(within * width_));
  else
    packing_.pack(
        values,
        std::span(blocks_[index].packed).subspan(within * packing_.row_bytes(), packing_.row_bytes()));
}

template <class Self, class Visit>
void RowStore::walk(Self& self, const Visit& visit) {
  constexpr bool changes = !std::is_const_v<Self>;
  std::uint64_t first = 0;
  const bool plain = self.packing_.is_plain();
  LargeVector<double> rows;
  if (self.in_scratch_ > 0 || (!plain && !self.blocks_.empty())) rows.resize(self.block_rows_ * self.width_);
  for (auto& block : self.blocks_) {
    if (plain) {
      visit(first, std::span(block.rows));
    } else {
      self.packing_.unpack(block.packed, rows);
      visit(first, std::span(rows));
      if constexpr (changes) self.packing_.pack(rows, block.packed);
    }
    first += self.block_rows_;
  }
  for (std::uint64_t i = 0; i < self.in_scratch_; ++i) {
    self.read_block(i, rows);
    visit(first, std::span(rows));
    if constexpr (changes) self.write_to_scratch(i * self.block_rows_, rows, self.generation_ + 1);
    first += self.block_rows_;
  }
  if constexpr (changes) ++self.generation_;
  if (self.used_ > 0) visit(first, std::span(self.last_).first(self.used_ * self.width_));
}

void RowStore::each_block(const Work& work) const {
  walk(*this, work);
}

void RowStore::update(const Change& change) {
  walk(*this, change);
}

void recode(std::span<double> block, std::uint64_t width, const std::vector<std::vector<double>>& values) {
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (values[c].empty()) continue;
    for (std::uint64_t i = c; i < block.size(); i += width)
      if (!std::isnan(block[i])) block[i] = values[c][static_cast<std::size_t>(block[i])];
  }
}

void recode(RowStore& rows, const std::vector<std::vector<double>>& values) {
  if (std::all_of(values.begin(), values.end(), [](const auto& v) { return v.empty(); })) return;
  rows.update([&](std::uint64_t, std::span<double> block) { recode(block, rows.width(), values); });
}

}  // namespace kernmill::tasks
