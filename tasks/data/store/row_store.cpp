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
    : width_(std::max<std::uint64_t>(width, 1)), buffer_(std::move(buffer)) {
  const std::uint64_t row_bytes = width_ * sizeof(double);
  block_rows_ = std::max<std::uint64_t>(1, std::min(buffer_.bytes / 4, largest_block) / row_bytes);
  const std::uint64_t blocks = buffer_.bytes / (block_rows_ * row_bytes);
  blocks_in_memory_ = blocks > 2 ? blocks - 2 : 0;  // one is being filled, one is being read
  last_.resize(block_rows_ * width_);
  note_peak();
}

void RowStore::append(std::span<const double> row) {
  std::copy(row.begin(), row.end(), next());
  keep();
}

void RowStore::note_peak() {
  peak_ = std::max(peak_, (blocks_.size() + 1) * block_rows_ * width_);
}

void RowStore::close_block(bool filled) {
  used_ = 0;
  if (blocks_.size() < blocks_in_memory_) {
    blocks_.push_back(std::exchange(last_, std::vector<double>(block_rows_ * width_)));
    note_peak();
    return;
  }
  if (!scratch_) scratch_ = std::make_unique<ScratchFile>(buffer_.scratch);
  if (filled)
    scratch_->write(place_in_scratch(in_scratch_ * block_rows_), std::as_bytes(std::span(last_)),
                    generation_);
  ++in_scratch_;
}

void RowStore::resize(std::uint64_t rows) {
  for (; rows_ < rows; ++rows_)
    if (++used_ == block_rows_) close_block(false);
}

void RowStore::put(std::uint64_t row, std::span<const double> values) {
  const std::uint64_t block = row / block_rows_;
  const auto within = static_cast<std::ptrdiff_t>(row % block_rows_ * width_);
  if (block < blocks_.size())
    std::copy(values.begin(), values.end(), blocks_[block].begin() + within);
  else if (block < blocks_.size() + in_scratch_)
    scratch_->write(place_in_scratch(row - blocks_.size() * block_rows_), std::as_bytes(values), generation_);
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
  std::vector<double> block(self.in_scratch_ > 0 ? self.block_rows_ * self.width_ : 0);
  const auto bytes = std::as_writable_bytes(std::span(block));
  for (std::uint64_t i = 0; i < self.in_scratch_; ++i) {
    const std::uint64_t place = self.place_in_scratch(i * self.block_rows_);
    self.scratch_->read(place, bytes, self.generation_);
    visit(first, std::span(block));
    if constexpr (!std::is_const_v<Self>) self.scratch_->write(place, bytes, self.generation_ + 1);
    first += self.block_rows_;
  }
  if constexpr (!std::is_const_v<Self>) ++self.generation_;
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
