#include "kernmill/tasks/data/store/row_packing.hpp"

#include <cassert>
#include <cstring>

namespace kernmill::tasks {
namespace {

using storage::Element;

std::uint64_t bytes_of(Element type) {
  return type == Element::f64 ? sizeof(double) : type == Element::u8 ? 1 : sizeof(float);
}

template <class T>
void put_run(const double* from, std::uint64_t count, std::byte* to) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto value = static_cast<T>(from[i]);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
}

template <class T>
void take_run(const std::byte* from, std::uint64_t count, double* to) {
  for (std::uint64_t i = 0; i < count; ++i) {
    T value{};
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to[i] = static_cast<double>(value);
  }
}

/// Calls `work` with a number of the type.
template <class Work>
void with_type(Element type, const Work& work) {
  switch (type) {
    case Element::f64:
      return work(double{});
    case Element::f32:
      return work(float{});
    case Element::u8:
      return work(std::uint8_t{});
    case Element::i32:
      return work(std::int32_t{});
    default:
      assert(false && "float16 and bfloat16 are for files alone");
  }
}

}  // namespace

RowPacking::RowPacking(const std::vector<Element>& types) : width_(types.size()) {
  for (const Element type : types) {
    row_bytes_ += bytes_of(type);
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
      with_type(run.type, [&]<class T>(T) { put_run<T>(from, run.columns, to); });
      from += run.columns;
      to += run.columns * bytes_of(run.type);
    }
}

void RowPacking::unpack(std::span<const std::byte> packed, std::span<double> rows) const {
  const std::byte* from = packed.data();
  double* to = rows.data();
  for (std::uint64_t i = 0; i < rows.size() / width_; ++i)
    for (const Run& run : runs_) {
      with_type(run.type, [&]<class T>(T) { take_run<T>(from, run.columns, to); });
      from += run.columns * bytes_of(run.type);
      to += run.columns;
    }
}

}  // namespace kernmill::tasks
