#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/describe_encoding.hpp"
#include "kernmill/storage/tool/rows.hpp"
#include "kernmill/storage/tool/tool.hpp"

namespace kernmill::storage::tool {
namespace {

/// How the values of two tables of one shape differ.
struct Difference {
  std::uint64_t values = 0, different = 0;
  double largest = 0;
  std::string first;  ///< where: "train row 3, sepal_length: 1.5 and 1.25"
};

bool are_same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

void compare(Difference& sum, const std::vector<double>& a, const std::vector<double>& b,
             const std::function<std::string(std::size_t)>& place) {
  sum.values += a.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (are_same(a[i], b[i])) continue;
    if (sum.different++ == 0) sum.first = fmt::format("{}: {} and {}", place(i), a[i], b[i]);
    const double distance = std::abs(a[i] - b[i]);
    if (distance > sum.largest || std::isnan(distance)) sum.largest = distance;
  }
}

/// The entries of two sparse rows, column by column; what one does not have is 0 there.
void compare(Difference& sum, const SparseRows& a, const SparseRows& b, std::uint64_t row,
             const std::function<std::string(std::uint64_t column)>& place) {
  std::uint64_t i = a.begins[row], j = b.begins[row];
  const std::uint64_t end_a = a.begins[row + 1], end_b = b.begins[row + 1];
  while (i < end_a || j < end_b) {
    const bool in_a = i < end_a && (j == end_b || a.columns[i] <= b.columns[j]);
    const bool in_b = j < end_b && (i == end_a || b.columns[j] <= a.columns[i]);
    const std::uint64_t column = in_a ? a.columns[i] : b.columns[j];
    compare(sum, {in_a ? a.values[i] : 0.0}, {in_b ? b.values[j] : 0.0},
            [&](std::size_t) { return place(column); });
    i += in_a ? 1 : 0;
    j += in_b ? 1 : 0;
  }
}

Difference compare_part(const DatasetReader& a, const DatasetReader& b, Part part) {
  Difference sum;
  const bool sparse = a.encoding().sparse && b.encoding().sparse;
  for_each_block(
      a, part, a.rows(part),
      [&](const RowBlock& mine) {
        RowBlock other = mine;
        const IndexRange range{mine.first, mine.first + mine.count};
        b.read(part, range, other.features, other.target);
        if (sparse) b.read_sparse(part, range, other.sparse);
        b.read_row_numbers(part, range, other.row_numbers);
        if (b.schema().weight.empty()) other.weights.clear();
        if (!other.weights.empty()) b.read_weights(part, range, other.weights);
        const auto place = [&](const std::string& column, std::uint64_t row) {
          return fmt::format("{} row {}, {}", to_string(part), mine.first + row, column);
        };
        for (std::uint64_t row = 0; sparse && row < mine.count; ++row)
          compare(sum, mine.sparse, other.sparse, row,
                  [&](std::uint64_t column) { return place(a.schema().features[column], row); });
        compare(sum, mine.features, other.features, [&](std::size_t i) {
          return place(a.schema().features[i % mine.columns], i / mine.columns);
        });
        compare(sum, mine.target, other.target,
                [&](std::size_t i) { return place("target", i / mine.targets); });
        if (!other.weights.empty())  // else the schemas differ
          compare(sum, mine.weights, other.weights, [&](std::size_t i) { return place("weight", i); });
        for (std::size_t i = 0; i < mine.row_numbers.size(); ++i)
          if (mine.row_numbers[i] != other.row_numbers[i] && sum.different++ == 0)
            sum.first = fmt::format("{}: {} and {}", place("row number", i), mine.row_numbers[i],
                                    other.row_numbers[i]);
      },
      sparse ? Layout::own : Layout::dense);
  return sum;
}

/// The keys of two schemas that differ. The source's name is no content.
std::vector<std::string> schema_differences(const Schema& a, const Schema& b) {
  const Json one = to_json(a), two = to_json(b);
  std::vector<std::string> keys;
  for (const auto& [key, value] : one.items())
    if (key != "source" && (!two.contains(key) || two[key] != value)) keys.push_back(key);
  for (const auto& [key, value] : two.items())
    if (!one.contains(key)) keys.push_back(key);
  return keys;
}

bool have_same_shape(const DatasetReader& a, const DatasetReader& b, Part part) {
  return a.rows(part) == b.rows(part) && a.feature_count() == b.feature_count() &&
         a.target_count() == b.target_count();
}

}  // namespace

int compare_data(const Request& request) {
  const DatasetReader a(MPI_COMM_SELF, request.files[0], access_to(request.files[0], request));
  const DatasetReader b(MPI_COMM_SELF, request.files[1], access_to(request.files[1], request));
  std::vector<std::string> lines;
  Json parts = Json::object();
  if (a.encoding() != b.encoding())
    lines.push_back(fmt::format("encoding: {} and {}", encoding_name(a), encoding_name(b)));
  for (const std::string& key : schema_differences(a.schema(), b.schema()))
    lines.push_back(fmt::format("schema: {} differs", key));
  for (const Part part : all_parts) {
    const std::string name = to_string(part);
    if (!have_same_shape(a, b, part)) {
      lines.push_back(fmt::format("{}: {} x {} and {} x {}", name, a.rows(part), a.feature_count(),
                                  b.rows(part), b.feature_count()));
      parts[name] = {{"same_shape", false}};
      continue;
    }
    const Difference sum = compare_part(a, b, part);
    parts[name] = {{"same_shape", true}, {"values", sum.values}, {"different", sum.different}};
    if (sum.different == 0) continue;
    parts[name]["largest"] = std::isnan(sum.largest) ? Json(nullptr) : Json(sum.largest);
    parts[name]["first"] = sum.first;
    lines.push_back(fmt::format("{}: {} of {} values differ, by {:.3g} at most; first {}", name,
                                sum.different, sum.values, sum.largest, sum.first));
  }
  const bool same = lines.empty();
  if (request.json)
    print(Json{{"schema_version", 1},
               {"same", same},
               {"schema", schema_differences(a.schema(), b.schema())},
               {"same_encoding", a.encoding() == b.encoding()},
               {"parts", std::move(parts)}});
  else if (same)
    fmt::print("the same content\n");
  else
    for (const std::string& line : lines) fmt::print("{}\n", shown(line));
  return same ? done : not_so;
}

}  // namespace kernmill::storage::tool
