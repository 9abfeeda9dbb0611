#include "kernmill/storage/dataset/stored_columns.hpp"

#include "kernmill/storage/conversion.hpp"

namespace kernmill::storage {

void StoredColumns::add(std::uint64_t first, std::uint64_t end) {
  if (first == end) return;
  columns_ += end - first;
  if (!runs_.empty() && runs_.back().first + runs_.back().count == first)
    runs_.back().count += end - first;
  else
    runs_.push_back({first, end - first});
}

StoredColumns StoredColumns::typed(const Encoding& encoding, std::uint64_t width) {
  StoredColumns made(encoding.features, width, encoding.center, encoding.scale);
  std::uint64_t next = 0;
  for (const std::uint32_t column : encoding.bytes) {
    made.add(next, column);
    next = std::uint64_t{column} + 1;
  }
  made.add(next, width);
  return made;
}

StoredColumns StoredColumns::in_bytes(const Encoding& encoding, std::uint64_t width) {
  StoredColumns made(Element::u8, width, encoding.center, encoding.scale);
  for (const std::uint32_t column : encoding.bytes) made.add(column, std::uint64_t{column} + 1);
  return made;
}

template <class T>
void StoredColumns::decode(const std::byte* from, std::uint64_t stride, std::uint64_t rows, T* to) const {
  if (columns_ == width_ && stride == row_bytes() && center_.empty())
    return widen(type_, from, std::span(to, rows * width_));
  for (std::uint64_t row = 0; row < rows; ++row, from += stride, to += width_) {
    const std::byte* at = from;
    for (const Run& run : runs_) {
      const std::span<T> out(to + run.first, run.count);
      if (center_.empty())
        widen(type_, at, out);
      else
        widen(type_, at, {center_.data() + run.first, scale_.data() + run.first}, out);
      at += run.count * size_of(type_);
    }
  }
}

template void StoredColumns::decode(const std::byte*, std::uint64_t, std::uint64_t, double*) const;
template void StoredColumns::decode(const std::byte*, std::uint64_t, std::uint64_t, float*) const;

std::optional<StoredColumns::Misfit> StoredColumns::encode(std::span<const double> rows,
                                                           std::byte* to) const {
  for (std::uint64_t row = 0; (row + 1) * width_ <= rows.size() && width_ > 0; ++row)
    for (const Run& run : runs_) {
      const auto from = rows.subspan(row * width_ + run.first, run.count);
      const auto misfit =
          center_.empty() ? narrow(from, type_, to)
                          : narrow(from, {center_.data() + run.first, scale_.data() + run.first}, type_, to);
      if (misfit) return Misfit{row, run.first + *misfit};
      to += run.count * size_of(type_);
    }
  return std::nullopt;
}

}  // namespace kernmill::storage
