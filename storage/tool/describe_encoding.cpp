#include "kernmill/storage/tool/describe_encoding.hpp"

#include <fmt/format.h>

namespace kernmill::storage::tool {
namespace {

std::uint64_t rows_of(const DatasetReader& data) {
  std::uint64_t rows = 0;
  for (const Part part : all_parts) rows += data.rows(part);
  return rows;
}

std::uint64_t entries_of(const DatasetReader& data) {
  std::uint64_t entries = 0;
  for (const Part part : all_parts) entries += data.entries(part);
  return entries;
}

/// Of all that there could be, in per cent.
double density_of(const DatasetReader& data) {
  const double cells = static_cast<double>(rows_of(data)) * static_cast<double>(data.feature_count());
  return cells == 0 ? 0 : 100 * static_cast<double>(entries_of(data)) / cells;
}

std::string sparse_text(const DatasetReader& data) {
  const std::uint64_t entries = entries_of(data);
  const std::uint64_t bytes = entries * (sizeof(std::uint32_t) + size_of(data.encoding().features)) +
                              (rows_of(data) + all_parts.size()) * sizeof(std::uint64_t);
  return fmt::format("sparse, {}, {}, density {:.2g} %, {}", to_string(data.encoding().features),
                     entries == 1 ? "1 entry" : fmt::format("{} entries", entries), density_of(data),
                     bytes_text(bytes));
}

std::string dense_text(const DatasetReader& data) {
  const Encoding& encoding = data.encoding();
  const std::uint64_t in_bytes = encoding.bytes.size(), others = data.feature_count() - in_bytes;
  std::string text;
  if (others > 0 || in_bytes == 0)
    text = fmt::format("{}, {}", to_string(encoding.features), counted(others, "column"));
  if (in_bytes > 0) text += fmt::format("{}uint8, {}", text.empty() ? "" : "; ", counted(in_bytes, "column"));
  return fmt::format("{}{}, {}", text, encoding.center.empty() ? "" : ", scaled when read",
                     bytes_text(rows_of(data) * data.stored_row_bytes()));
}

}  // namespace

Json encoding_json(const DatasetReader& data) {
  const Encoding& encoding = data.encoding();
  Json json{{"layout", encoding.sparse ? "sparse" : "dense"},
            {"features", to_string(encoding.features)},
            {"target", to_string(encoding.target)}};
  if (!encoding.sparse) {
    json["byte_columns"] = encoding.bytes;
    json["center"] = encoding.center;
    json["scale"] = encoding.scale;
    return json;
  }
  for (const Part part : all_parts) json["entries"][to_string(part)] = data.entries(part);
  json["density_percent"] = density_of(data);
  return json;
}

std::string encoding_text(const DatasetReader& data) {
  std::string text = data.encoding().sparse ? sparse_text(data) : dense_text(data);
  if (data.target_count() > 0) text += fmt::format("; target {}", to_string(data.encoding().target));
  return fmt::format("  stored    {}\n", text);
}

std::string encoding_name(const DatasetReader& data) {
  const Encoding& encoding = data.encoding();
  return fmt::format(
      "{}{}{}{}{}", encoding.sparse ? "sparse " : "", to_string(encoding.features),
      encoding.bytes.empty() ? "" : fmt::format(", {} in bytes", counted(encoding.bytes.size(), "column")),
      encoding.center.empty() ? "" : ", scaled",
      data.target_count() == 0 ? "" : fmt::format(", target {}", to_string(encoding.target)));
}

}  // namespace kernmill::storage::tool
