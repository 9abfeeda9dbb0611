#include "kernmill/tasks/data/store/row_packing.hpp"

#include <stdexcept>

#include "kernmill/storage/conversion.hpp"

namespace kernmill::tasks {

using storage::Element;

RowPacking::RowPacking(const std::vector<Element>& types) : width_(types.size()) {
  for (const Element type : types) {
    row_bytes_ += size_of(type);
    if (runs_.empty() || runs_.back().type != type) runs_.push_back({type, 0});
    ++runs_.back().columns;
  }
}

bool RowPacking::is_plain() const {
  return runs_.empty() || (runs_.size() == 1 && runs_[0].type == Element::f64);
}

void RowPacking::pack(std::span<const double> rows, std::span<std::byte> out) const {
  const double* from = rows.data();
  std::byte* to = out.data();
  for (std::uint64_t i = 0; i < rows.size() / width_; ++i)
    for (const Run& run : runs_) {
      if (storage::narrow(std::span(from, run.columns), run.type, to))
        throw std::out_of_range("a number that its column's type does not hold");
      from += run.columns;
      to += run.columns * size_of(run.type);
    }
}

void RowPacking::unpack(std::span<const std::byte> packed, std::span<double> rows) const {
  const std::byte* from = packed.data();
  double* to = rows.data();
  for (std::uint64_t i = 0; i < rows.size() / width_; ++i)
    for (const Run& run : runs_) {
      storage::widen(run.type, from, std::span(to, run.columns));
      from += run.columns * size_of(run.type);
      to += run.columns;
    }
}

}  // namespace kernmill::tasks
