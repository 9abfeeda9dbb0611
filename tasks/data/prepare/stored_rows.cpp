#include "kernmill/tasks/data/prepare/stored_rows.hpp"

#include <algorithm>
#include <cstring>

namespace kernmill::tasks {
namespace {

using storage::Element;

template <class T>
void put_as(double value, std::byte* to) {
  const auto converted = static_cast<T>(value);
  std::memcpy(to, &converted, sizeof(T));
}

void put_number(Element type, double value, std::byte* to) {
  switch (type) {
    case Element::f32:
      return put_as<float>(value, to);
    case Element::u8:
      return put_as<std::uint8_t>(value, to);
    case Element::i32:
      return put_as<std::int32_t>(value, to);
    default:
      return put_as<double>(value, to);
  }
}

/// What the numbers of a row are before storage/ has them.
Element made_as(Element type) {
  return type == Element::f16 || type == Element::bf16 ? Element::f64 : type;
}

}  // namespace

StoredRows::StoredRows(const Transform& transform, const storage::Encoding& encoding)
    : transform_(&transform), places_(transform.width()) {
  std::vector<bool> is_byte(transform.width(), false);
  for (const std::uint32_t feature : encoding.bytes) is_byte[feature] = true;
  for (const bool bytes : {false, true})
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (is_byte[i] != bytes) continue;
      const Element type = bytes ? Element::u8 : made_as(encoding.features);
      places_[i] = {row_bytes_, type, !encoding.center.empty()};
      row_bytes_ += storage::size_of(type);
    }
  runs_ = transform.runs();
}

void StoredRows::append(std::span<const double> rows, std::size_t stride, std::vector<std::byte>& out) const {
  const std::size_t count = rows.size() / stride, before = out.size();
  out.resize(before + count * row_bytes_, std::byte{0});
  std::byte* to = out.data() + before;
  for (std::size_t i = 0; i < count; ++i, to += row_bytes_) {
    const double* const row = rows.data() + i * stride;
    for (const Transform::Run& run : runs_) {
      const Place& place = places_[run.first];
      if (run.one_hot) {
        const std::size_t category = transform_->category_in(run, row);
        if (category < run.count) put_number(place.type, 1, to + places_[run.first + category].at);
        continue;
      }
      const Transform::Feature& feature = transform_->features()[run.first];
      const double x = row[feature.input];
      put_number(place.type, place.raw ? feature.raw(x) : feature.value(x), to + place.at);
    }
  }
}

}  // namespace kernmill::tasks
