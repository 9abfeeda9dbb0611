#include <algorithm>
#include <charconv>
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

constexpr std::uint64_t most_exported_columns = 10'000;

/// A dense file of what is sparse in many columns would be as large as no disk.
void require_narrow(const DatasetReader& data) {
  if (data.encoding().sparse && data.feature_count() > most_exported_columns)
    throw Error(
        fmt::format("sparse rows of {} columns are exported to a name that ends in .svm, not to CSV or npy",
                    data.feature_count()));
}

/// Classes whose names are all numbers keep them; others get theirs in the order of the classes.
bool are_numbers(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    double number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end == name.data() + name.size();
  });
}

/// LIBSVM's format: label, then column:value of what is not 0, columns from 1 on.
void write_svm(const Write& out, const DatasetReader& data, const std::vector<Part>& parts) {
  if (data.target_count() > 1) throw Error("a file of LIBSVM has one target, and this dataset has more");
  const bool named = are_numbers(data.schema().classes);
  for (const Part part : parts)
    for_each_block(data, part, data.rows(part), [&](const RowBlock& block) {
      std::string text;
      const auto add = [&](std::uint64_t column, double value) {
        if (value != 0) text += fmt::format(" {}:{}", column + 1, value);
      };
      for (std::uint64_t i = 0; i < block.count; ++i) {
        text += block.targets == 0 ? "0"
                : named            ? target_texts(data.schema(), block, i)[0]
                                   : fmt::format("{}", block.target[i]);
        if (data.encoding().sparse)
          for (std::uint64_t k = block.sparse.begins[i]; k < block.sparse.begins[i + 1]; ++k)
            add(block.sparse.columns[k], block.sparse.values[k]);
        else
          for (std::uint64_t c = 0; c < block.columns; ++c) add(c, block.features[i * block.columns + c]);
        text += '\n';
      }
      out(text);
    });
}

void write_csv(const Write& out, const DatasetReader& data, const std::vector<Part>& parts) {
  require_narrow(data);
  std::string heading = "part,row";
  for (const std::string& name : data.schema().features) heading += ',' + csv_field(name);
  for (const std::string& name : target_headings(data.schema())) heading += ',' + csv_field(name);
  if (!data.schema().weight.empty()) heading += ',' + csv_field(data.schema().weight);
  out(heading + '\n');
  for (const Part part : parts)
    for_each_block(
        data, part, data.rows(part),
        [&](const RowBlock& block) {
          std::string text;
          for (std::uint64_t i = 0; i < block.count; ++i) {
            text += fmt::format("{},{}", to_string(part), block.row_numbers[i]);
            for (std::uint64_t c = 0; c < block.columns; ++c)
              text += fmt::format(",{}", block.features[i * block.columns + c]);
            for (const std::string& target : target_texts(data.schema(), block, i))
              text += ',' + csv_field(target);
            if (!block.weights.empty()) text += fmt::format(",{}", block.weights[i]);
            text += '\n';
          }
          out(text);
        },
        Layout::dense);
}

/// NumPy's format 1.0: the features as float64, one row after another, the targets behind them.
void write_npy(const Write& out, const DatasetReader& data, const std::vector<Part>& parts) {
  require_narrow(data);
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
    for_each_block(
        data, part, data.rows(part),
        [&](const RowBlock& block) {
          for (std::uint64_t i = 0; i < block.count; ++i) {
            write(block.features, i, block.columns);
            write(block.target, i, block.targets);
          }
          out(rows_of_block);
          rows_of_block.clear();
        },
        Layout::dense);
}

}  // namespace

void require_exportable(const fs::path& to) {
  if (to.extension() != ".csv" && to.extension() != ".npy" && to.extension() != ".svm")
    throw Error("say where to, by a name that ends in .csv, .npy or .svm: --output iris.csv");
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
  const auto write_as = to.extension() == ".csv"   ? write_csv
                        : to.extension() == ".npy" ? write_npy
                                                   : write_svm;
  write_as(write, data, parts);
  for (const Part part : parts) rows += data.rows(part);
  if (!request.json) return fmt::format("{}: {}, {}", to.string(), counted(rows, "row"), bytes_text(bytes));
  return Json{{"schema_version", 1}, {"file", to.string()}, {"rows", rows}}.dump(
      2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kernmill::storage::tool
