#include <functional>

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/rows.hpp"
#include "kernmill/storage/tool/tool.hpp"

namespace kernmill::storage::tool {
namespace {

namespace fs = std::filesystem;

using Write = std::function<void(std::string_view)>;

void write_csv(const Write& out, const DatasetReader& data, const std::vector<Part>& parts) {
  std::string heading = "part,row";
  for (const std::string& name : data.schema().features) heading += ',' + csv_field(name);
  for (const std::string& name : target_headings(data.schema())) heading += ',' + csv_field(name);
  out(heading + '\n');
  for (const Part part : parts)
    for_each_block(data, part, data.rows(part), [&](const RowBlock& block) {
      std::string text;
      for (std::uint64_t i = 0; i < block.count; ++i) {
        text += fmt::format("{},{}", to_string(part), block.row_numbers[i]);
        for (std::uint64_t c = 0; c < block.columns; ++c)
          text += fmt::format(",{}", block.features[i * block.columns + c]);
        for (const std::string& target : target_texts(data.schema(), block, i))
          text += ',' + csv_field(target);
        text += '\n';
      }
      out(text);
    });
}

/// NumPy's format 1.0: the features as float64, one row after another, the targets behind them.
void write_npy(const Write& out, const DatasetReader& data, const std::vector<Part>& parts) {
  std::uint64_t rows = 0;
  for (const Part part : parts) rows += data.rows(part);
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", rows,
                                   data.feature_count() + data.target_count());
  constexpr std::size_t before_header = 10, alignment = 64;
  header.append(alignment - 1 - (before_header + header.size()) % alignment, ' ');
  header += '\n';
  out(std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xff) +
      static_cast<char>(header.size() >> 8) + header);
  std::string rows_of_block;
  const auto write = [&](const std::vector<double>& values, std::uint64_t row, std::uint64_t columns) {
    rows_of_block.append(reinterpret_cast<const char*>(values.data() + row * columns),
                         columns * sizeof(double));
  };
  for (const Part part : parts)
    for_each_block(data, part, data.rows(part), [&](const RowBlock& block) {
      for (std::uint64_t i = 0; i < block.count; ++i) {
        write(block.features, i, block.columns);
        write(block.target, i, block.targets);
      }
      out(rows_of_block);
      rows_of_block.clear();
    });
}

}  // namespace

void require_exportable(const fs::path& to) {
  if (to.extension() != ".csv" && to.extension() != ".npy")
    throw Error("say where to, by a name that ends in .csv or .npy: --output iris.csv");
}

std::string export_data(const Request& request, const NewFile& out) {
  const fs::path& to = request.output;
  const DatasetReader data(MPI_COMM_SELF, request.files[0], access_to(request.files[0], request));
  const std::vector<Part> parts =
      request.part ? std::vector{*request.part} : std::vector(all_parts.begin(), all_parts.end());
  std::uint64_t rows = 0, bytes = 0;
  const Write write = [&](std::string_view more) {
    out.write(more);
    bytes += more.size();
  };
  to.extension() == ".csv" ? write_csv(write, data, parts) : write_npy(write, data, parts);
  for (const Part part : parts) rows += data.rows(part);
  if (!request.json) return fmt::format("{}: {}, {}", to.string(), counted(rows, "row"), bytes_text(bytes));
  return Json{{"schema_version", 1}, {"file", to.string()}, {"rows", rows}}.dump(
      2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kernmill::storage::tool
