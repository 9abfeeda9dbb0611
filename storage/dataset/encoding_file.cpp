#include "kernmill/storage/dataset/encoding_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "kernmill/storage/dataset/column_order.hpp"

namespace kernmill::storage {
namespace {

/// What no dataset of this schema can be like; empty when it can.
std::string flaw_of(const Encoding& encoding, const Schema& schema) {
  const std::uint64_t width = schema.features.size();
  const auto is_number = [](double x) { return std::isfinite(x); };
  const auto fits = [&](const std::vector<double>& list) {
    return (list.empty() || list.size() == width) && std::all_of(list.begin(), list.end(), is_number);
  };
  if (encoding.sparse && (!encoding.bytes.empty() || !encoding.center.empty() || !encoding.scale.empty()))
    return "sparse rows have neither byte columns nor a scale";
  if (encoding.sparse && width > std::numeric_limits<std::uint32_t>::max())
    return "sparse rows have at most 4294967295 columns";
  const std::span<const std::uint32_t> in_bytes = encoding.bytes;
  if (first_misplaced(in_bytes, width) != in_bytes.end())
    return "the byte columns are not columns in ascending order";
  if (!fits(encoding.center) || !fits(encoding.scale) || encoding.center.size() != encoding.scale.size() ||
      std::find(encoding.scale.begin(), encoding.scale.end(), 0.0) != encoding.scale.end())
    return "centers and scales have to be one a feature, and no scale may be 0";
  if (encoding.target != Element::f64 && encoding.target != Element::f32 && encoding.target != Element::i32)
    return fmt::format("a target cannot be {}", to_string(encoding.target));
  return {};
}

Element read_type(const hdf5::File& file, const std::string& name) {
  const std::string text = file.read_text(name);
  if (const auto type = element_of(text)) return *type;
  throw Error(
      fmt::format("{}: '{}' names the type '{}', which is unknown", file.path().string(), name, text));
}

}  // namespace

Encoding sound_encoding(Encoding encoding, const Schema& schema, const std::filesystem::path& file) {
  if (schema.target_kind == TargetKind::classes && encoding.target == Element::f64)
    encoding.target = Element::i32;
  if (const std::string flaw = flaw_of(encoding, schema); !flaw.empty())
    throw Error(fmt::format("{}: its encoding is of no use: {}", file.string(), flaw));
  return encoding;
}

void write_encoding(const hdf5::File& file, const Encoding& encoding) {
  file.create_group("encoding");
  file.write_text("encoding/layout", encoding.sparse ? "sparse" : "dense");
  file.write_text("encoding/features", std::string(to_string(encoding.features)));
  file.write_text("encoding/target", std::string(to_string(encoding.target)));
  file.write_all<std::uint32_t>("encoding/byte_columns", hdf5::Type::u32, encoding.bytes);
  file.write_all<double>("encoding/center", hdf5::Type::f64, encoding.center);
  file.write_all<double>("encoding/scale", hdf5::Type::f64, encoding.scale);
}

Encoding read_encoding(const hdf5::File& file, const Schema& schema, std::uint64_t version) {
  if (version < 3) return {};
  Encoding encoding;
  const std::string layout = file.read_text("encoding/layout");
  if (layout != "sparse" && layout != "dense")
    throw Error(fmt::format("{}: the layout '{}' is unknown", file.path().string(), layout));
  encoding.sparse = layout == "sparse";
  encoding.features = read_type(file, "encoding/features");
  encoding.target = read_type(file, "encoding/target");
  encoding.bytes = file.read_all<std::uint32_t>("encoding/byte_columns", hdf5::Type::u32);
  encoding.center = file.read_all<double>("encoding/center", hdf5::Type::f64);
  encoding.scale = file.read_all<double>("encoding/scale", hdf5::Type::f64);
  if (const std::string flaw = flaw_of(encoding, schema); !flaw.empty())
    throw Error(fmt::format("{}: the encoding is damaged: {}", file.path().string(), flaw));
  return encoding;
}

}  // namespace kernmill::storage
