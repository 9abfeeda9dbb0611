#include "kernmill/tasks/data/prepare/choose_encoding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kernmill::tasks {
namespace {

using storage::Element;
using storage::Encoding;

constexpr std::uint64_t no_row = std::numeric_limits<std::uint64_t>::max();

bool is_byte(double value) {
  return value >= 0 && value <= 255 && value == std::floor(value) && !std::signbit(value);
}

/// Which features are whole numbers from 0 to 255 in every sample, before they are scaled.
std::vector<bool> byte_features(const Communicator& comm, const Samples& samples,
                                const Transform& transform) {
  const auto& features = transform.features();
  std::vector<std::uint64_t> yes(features.size(), 1);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const Element type = samples.rows.types()[features[i].input];
    const bool known = features[i].kind == Transform::Kind::one_hot ||
                       features[i].kind == Transform::Kind::missing ||
                       (type == Element::u8 && features[i].kind == Transform::Kind::number);
    if (!known && type == Element::f32) yes[i] = 0;
    if (!known && type != Element::f32) open.push_back(i);
  }
  comm.agree([&] {
    const std::size_t width = samples.layout.width();
    samples.rows.each_block([&](std::uint64_t, std::span<const double> block) {
      for (const std::size_t i : open)
        for (std::size_t at = features[i].input; yes[i] == 1 && at < block.size(); at += width)
          if (!is_byte(features[i].raw(block[at]))) yes[i] = 0;
      std::erase_if(open, [&](std::size_t i) { return yes[i] == 0; });
    });
  });
  comm.allreduce(std::span(yes), Reduction::min);
  return {yes.begin(), yes.end()};
}

bool is_float(double value) {
  return static_cast<double>(static_cast<float>(value)) == value;
}

/// A type that holds the numbers of a feature before they are scaled; they are no bytes.
Element raw_type(const Samples& samples, const Transform::Feature& feature) {
  if (feature.kind != Transform::Kind::number) return Element::f64;
  const Element type = samples.rows.types()[feature.input];
  return type == Element::f32 && feature.imputed && !is_float(feature.fill) ? Element::f64 : type;
}

void keep_scaling(const Transform& transform, Encoding& encoding) {
  const auto& features = transform.features();
  if (std::none_of(features.begin(), features.end(), [](const auto& f) { return f.is_scaled(); })) return;
  for (const auto& feature : features) {
    encoding.center.push_back(feature.center);
    encoding.scale.push_back(feature.scale);
  }
}

}  // namespace

Encoding lossless_encoding(const Communicator& comm, const Samples& samples, const Transform& transform) {
  const auto& features = transform.features();
  const std::vector<bool> bytes = byte_features(comm, samples, transform);
  std::optional<Element> others;
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (bytes[i]) continue;
    const Element type = raw_type(samples, features[i]);
    others = others.value_or(type) == type ? type : Element::f64;
  }
  Encoding encoding;
  encoding.features = others.value_or(Element::u8);
  const bool raw = encoding.features != Element::f64;
  if (others)
    for (std::size_t i = 0; i < features.size(); ++i)
      if (bytes[i] && (raw || !features[i].is_scaled()))
        encoding.bytes.push_back(static_cast<std::uint32_t>(i));
  if (raw) keep_scaling(transform, encoding);
  return encoding;
}

Limits limits_of(Element type) {
  switch (type) {
    case Element::u8:
      return {0, 255, true, "uint8"};
    case Element::i32:
      return {-2147483648.0, 2147483647.0, true, "int32"};
    case Element::f16:
      return {-65504, 65504, false, "float16"};
    case Element::bf16:
      return {-0x1.FEp127, 0x1.FEp127, false, "bfloat16"};
    case Element::f32:
      return {-std::numeric_limits<float>::max(), std::numeric_limits<float>::max(), false, "float32"};
    default:
      return {std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max(), false, "float64"};
  }
}

Encoding encoding_of(const Communicator& comm, const Samples& samples, const Transform& transform,
                     Element type, std::optional<Misfit>& misfit) {
  Encoding encoding;
  encoding.features = type;
  const Limits limits = limits_of(type);
  if (limits.whole) keep_scaling(transform, encoding);
  if (type == Element::f64) return encoding;
  std::uint64_t row = no_row, feature = 0;
  const auto& features = transform.features();
  comm.agree([&] {
    const std::size_t width = samples.layout.width();
    samples.rows.each_block([&](std::uint64_t, std::span<const double> block) {
      for (std::size_t at = 0; row == no_row && at < block.size(); at += width)
        for (std::size_t i = 0; row == no_row && i < features.size(); ++i) {
          const double x = block[at + features[i].input];
          if (limits.hold(limits.whole ? features[i].raw(x) : features[i].value(x))) continue;
          row = static_cast<std::uint64_t>(block[at + samples.layout.number()]);
          feature = i;
        }
    });
  });
  const std::uint64_t first = comm.allreduce(row, Reduction::min);
  feature = comm.allreduce(row == first ? feature : 0, Reduction::max);
  if (first != no_row) misfit = Misfit{first, feature};
  return encoding;
}

}  // namespace kernmill::tasks
