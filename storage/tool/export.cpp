#include <cerrno>
#include <fstream>

#include <fmt/format.h>

#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/rows.hpp"
#include "kernmill/storage/tool/tool.hpp"

namespace kernmill::storage::tool {
namespace {

namespace fs = std::filesystem;

/// A field of a CSV file (RFC 4180).
std::string csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

void write_csv(std::ostream& out, const DatasetReader& data, const std::vector<Part>& parts) {
  out << "part,row";
  for (const std::string& name : data.schema().features) out << ',' << csv(name);
  for (const std::string& name : target_headings(data.schema())) out << ',' << csv(name);
  out << '\n';
  for (const Part part : parts)
    for_each_block(data, part, data.rows(part), [&](const RowBlock& block) {
      std::string text;
      for (std::uint64_t i = 0; i < block.count; ++i) {
        text += fmt::format("{},{}", to_string(part), block.row_numbers[i]);
        for (std::uint64_t c = 0; c < block.columns; ++c)
          text += fmt::format(",{}", block.features[i * block.columns + c]);
        for (const std::string& target : target_texts(data.schema(), block, i)) text += ',' + csv(target);
        text += '\n';
      }
      out << text;
    });
}

/// NumPy's format 1.0: the features as float64, one row after another, the targets behind them.
void write_npy(std::ostream& out, const DatasetReader& data, const std::vector<Part>& parts) {
  std::uint64_t rows = 0;
  for (const Part part : parts) rows += data.rows(part);
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", rows,
                                   data.feature_count() + data.target_count());
  constexpr std::size_t before_header = 10, alignment = 64;
  header.append(alignment - 1 - (before_header + header.size()) % alignment, ' ');
  header += '\n';
  out << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size() & 0xff)
      << static_cast<char>(header.size() >> 8) << header;
  const auto write = [&](const std::vector<double>& values, std::uint64_t row, std::uint64_t columns) {
    out.write(reinterpret_cast<const char*>(values.data() + row * columns),
              static_cast<std::streamsize>(columns * sizeof(double)));
  };
  for (const Part part : parts)
    for_each_block(data, part, data.rows(part), [&](const RowBlock& block) {
      for (std::uint64_t i = 0; i < block.count; ++i) {
        write(block.features, i, block.columns);
        write(block.target, i, block.targets);
      }
    });
}

}  // namespace

int export_data(const Request& request) {
  const fs::path& to = request.output;
  const std::string suffix = to.extension();
  if (suffix != ".csv" && suffix != ".npy")
    throw Error("say where to, by a name that ends in .csv or .npy: --output iris.csv");
  const DatasetReader data(MPI_COMM_SELF, request.files[0], request.access);
  const std::vector<Part> parts =
      request.part ? std::vector{*request.part} : std::vector(all_parts.begin(), all_parts.end());
  const fs::path temporary = temporary_beside(to);
  try {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    suffix == ".csv" ? write_csv(out, data, parts) : write_npy(out, data, parts);
    out.close();
    if (!out) throw system_error(to, "write it", errno);
    sync_file(temporary, to);
    publish(temporary, to);
  } catch (...) {
    remove_quietly(temporary);
    throw;
  }
  std::uint64_t rows = 0;
  for (const Part part : parts) rows += data.rows(part);
  if (request.json)
    print(Json{{"schema_version", 1}, {"file", to.string()}, {"rows", rows}});
  else
    fmt::print("{}: {}, {}\n", to.string(), counted(rows, "row"), bytes_text(fs::file_size(to)));
  return done;
}

}  // namespace kernmill::storage::tool
