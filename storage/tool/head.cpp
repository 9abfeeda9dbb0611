#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/rows.hpp"
#include "kernmill/storage/tool/tool.hpp"

namespace kernmill::storage::tool {
namespace {

constexpr std::size_t most_columns = 10;

using Line = std::vector<std::string>;

void print_table(const std::vector<Line>& lines, bool ends_in_text) {
  std::vector<std::size_t> widths;
  for (const Line& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const Line& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i)
      text +=
          ends_in_text && i + 1 == line.size() ? line[i] + "  " : fmt::format("{:>{}}  ", line[i], widths[i]);
    fmt::print("{}\n", text.substr(0, text.size() - 2));
  }
}

Line heading(const DatasetReader& data) {
  Line line{"row"};
  for (const std::string& name : target_headings(data.schema())) line.push_back(shown(name));
  if (!data.schema().weight.empty()) line.push_back(shown(data.schema().weight));
  const auto& names = data.schema().features;
  if (data.encoding().sparse) {
    line.emplace_back("what is not 0");
    return line;
  }
  for (std::size_t i = 0; i < std::min(most_columns, names.size()); ++i) line.push_back(shown(names[i]));
  if (names.size() > most_columns) line.push_back(fmt::format("... {} more", names.size() - most_columns));
  return line;
}

/// "word17:2 word93:1 ... 12 more".
std::string sparse_text(const Schema& schema, const SparseRows& rows, std::uint64_t row) {
  const std::uint64_t begin = rows.begins[row], end = rows.begins[row + 1];
  const std::uint64_t shown_end = std::min(end, begin + most_columns);
  std::string text;
  for (std::uint64_t i = begin; i < shown_end; ++i)
    text += fmt::format("{}{}:{:.6g}", i == begin ? "" : " ", shown(schema.features[rows.columns[i]]),
                        rows.values[i]);
  return shown_end == end ? text : fmt::format("{} ... {} more", text, end - shown_end);
}

Line line_of(const Schema& schema, const RowBlock& block, std::uint64_t row) {
  Line line{fmt::format("{}", block.row_numbers[row])};
  for (const std::string& text : target_texts(schema, block, row)) line.push_back(shown(text));
  if (!block.weights.empty()) line.push_back(fmt::format("{:.6g}", block.weights[row]));
  if (block.sparse.rows() > row) line.push_back(sparse_text(schema, block.sparse, row));
  if (block.features.empty()) return line;
  for (std::size_t i = 0; i < std::min<std::size_t>(most_columns, block.columns); ++i)
    line.push_back(fmt::format("{:.6g}", block.features[row * block.columns + i]));
  return line;
}

Json json_row(const Schema& schema, const RowBlock& block, std::uint64_t row) {
  Json json{{"row", block.row_numbers[row]}};
  const auto texts = target_texts(schema, block, row);
  const auto names = target_headings(schema);
  for (std::size_t t = 0; t < texts.size(); ++t)
    json["target"][names[t]] = schema.target_kind == TargetKind::classes
                                   ? Json(texts[t])
                                   : Json(block.target[row * block.targets + t]);
  if (!block.weights.empty()) json["weight"] = block.weights[row];
  if (block.sparse.rows() > row) {
    json["features"] = Json::object();
    for (std::uint64_t i = block.sparse.begins[row]; i < block.sparse.begins[row + 1]; ++i)
      json["features"][schema.features[block.sparse.columns[i]]] = block.sparse.values[i];
    return json;
  }
  for (std::uint64_t i = 0; i < block.columns; ++i)
    json["features"][schema.features[i]] = block.features[row * block.columns + i];
  return json;
}

}  // namespace

int show_head(const Request& request) {
  const DatasetReader data(MPI_COMM_SELF, request.files[0], access_to(request.files[0], request));
  const Part part = request.part.value_or(Part::train);
  std::vector<Line> lines{heading(data)};
  Json rows = Json::array();
  for_each_block(data, part, request.rows, [&](const RowBlock& block) {
    for (std::uint64_t i = 0; i < block.count; ++i)
      if (request.json)
        rows.push_back(json_row(data.schema(), block, i));
      else
        lines.push_back(line_of(data.schema(), block, i));
  });
  if (request.json)
    print(Json{{"schema_version", 1}, {"part", to_string(part)}, {"rows", std::move(rows)}});
  else
    print_table(lines, data.encoding().sparse);
  return done;
}

}  // namespace kernmill::storage::tool
