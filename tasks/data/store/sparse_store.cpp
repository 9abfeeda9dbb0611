#include "kernmill/tasks/data/store/sparse_store.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t entry_bytes = sizeof(std::uint32_t) + sizeof(double);
constexpr std::uint64_t largest_entries = std::uint64_t{1} << 18U;

}  // namespace

SparseStore::SparseStore(Buffer buffer)
    : buffer_(std::move(buffer)),
      block_entries_(std::clamp<std::uint64_t>(buffer_.bytes / 4 / entry_bytes, 1, largest_entries)) {
  const std::uint64_t blocks = buffer_.bytes / (block_entries_ * entry_bytes);
  blocks_in_memory_ = blocks > 1 ? blocks - 1 : 0;
}

void SparseStore::note(std::span<const double> values) {
  for (const double value : values) {
    const bool whole = value == std::floor(value);
    if (!whole || value < 0 || value > 255) fit_.bytes = 0;
    if (!whole || std::abs(value) >= 0x1p31) fit_.integers = 0;
    if (static_cast<double>(static_cast<float>(value)) != value) fit_.floats = 0;
  }
}

storage::Element type_of(const Communicator& comm, const SparseStore& store) {
  using storage::Element;
  std::array<std::uint64_t, 3> fits{store.fit().bytes, store.fit().integers, store.fit().floats};
  comm.allreduce(std::span<std::uint64_t>(fits), Reduction::min);
  return fits[0] == 1   ? Element::u8
         : fits[1] == 1 ? Element::i32
         : fits[2] == 1 ? Element::f32
                        : Element::f64;
}

void SparseStore::append(std::span<const std::uint32_t> columns, std::span<const double> values) {
  note(values);
  begins_.push_back(begins_.back() + columns.size());
  while (!columns.empty()) {
    const std::size_t count = std::min<std::size_t>(columns.size(), block_entries_ - last_.columns.size());
    last_.columns.insert(last_.columns.end(), columns.begin(),
                         columns.begin() + static_cast<std::ptrdiff_t>(count));
    last_.values.insert(last_.values.end(), values.begin(),
                        values.begin() + static_cast<std::ptrdiff_t>(count));
    columns = columns.subspan(count);
    values = values.subspan(count);
    if (last_.columns.size() == block_entries_) close_block();
  }
}

std::vector<storage::IndexRange> SparseStore::ranges_of(std::uint64_t most_rows,
                                                        std::uint64_t most_entries) const {
  std::vector<storage::IndexRange> ranges;
  std::uint64_t first = 0;
  for (std::uint64_t row = 1; row <= rows(); ++row)
    if (row == rows() || row - first >= most_rows || begins_[row] - begins_[first] >= most_entries) {
      ranges.push_back({first, row});
      first = row;
    }
  return ranges;
}

void SparseStore::close_block() {
  if (blocks_.size() < blocks_in_memory_) {
    blocks_.push_back(std::exchange(last_, {}));
    return;
  }
  if (!scratch_) scratch_ = std::make_unique<ScratchFile>(buffer_.scratch);
  const std::uint64_t place = in_scratch_ * block_entries_ * entry_bytes;
  scratch_->write(place, std::as_bytes(std::span(last_.values)), 0);
  scratch_->write(place + block_entries_ * sizeof(double), std::as_bytes(std::span(last_.columns)), 0);
  ++in_scratch_;
  last_.columns.clear();
  last_.values.clear();
}

/// Of a block's entries.
void SparseStore::read_piece(std::uint64_t block, std::uint64_t from, std::uint64_t count,
                             storage::SparseRows& out) const {
  const bool in_scratch = block >= blocks_.size() && block < blocks_.size() + in_scratch_;
  if (!in_scratch) {
    const Block& source = block < blocks_.size() ? blocks_[block] : last_;
    const auto begin = static_cast<std::ptrdiff_t>(from), end = static_cast<std::ptrdiff_t>(from + count);
    out.columns.insert(out.columns.end(), source.columns.begin() + begin, source.columns.begin() + end);
    out.values.insert(out.values.end(), source.values.begin() + begin, source.values.begin() + end);
    return;
  }
  const std::uint64_t place = (block - blocks_.size()) * block_entries_ * entry_bytes;
  const std::size_t before = out.columns.size();
  out.columns.resize(before + count);
  out.values.resize(before + count);
  scratch_->read(place + from * sizeof(double), std::as_writable_bytes(std::span(out.values).subspan(before)),
                 0);
  scratch_->read(place + block_entries_ * sizeof(double) + from * sizeof(std::uint32_t),
                 std::as_writable_bytes(std::span(out.columns).subspan(before)), 0);
}

void SparseStore::read(std::uint64_t first, std::uint64_t count, storage::SparseRows& out) const {
  const std::uint64_t before = out.begins.back() - begins_[first];  // modulo 2^64
  for (std::uint64_t row = first; row < first + count; ++row) out.begins.push_back(begins_[row + 1] + before);
  const std::uint64_t end = begins_[first + count];
  for (std::uint64_t at = begins_[first]; at < end;) {
    const std::uint64_t from = at % block_entries_;
    const std::uint64_t piece = std::min(end - at, block_entries_ - from);
    read_piece(at / block_entries_, from, piece, out);
    at += piece;
  }
}

}  // namespace kernmill::tasks
