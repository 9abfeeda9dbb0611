#include "kernmill/workflow/parse/axis_table.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/workflow/value/scalar.hpp"

namespace kernmill {
namespace {

using Record = std::vector<CsvField>;

[[noreturn]] void refuse_cell(const CsvField& field, std::string message, std::string help) {
  throw TableMistake{std::move(message), std::move(help), field.place.line, field.place.column};
}

/// The places of the columns that are wanted, in that order.
std::vector<std::size_t> places_of_columns(const Record& header, const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const CsvField& field : header) {
    names.push_back(field.text());
    if (std::count(names.begin(), names.end(), names.back()) > 1)
      refuse_cell(field, fmt::format("the column '{}' is there twice", names.back()),
                  "give one another name");
    if (wanted.empty() && !is_axis_name(names.back()))
      refuse_cell(field, fmt::format("'{}' cannot be the name of an axis", names.back()),
                  "a name begins with a letter; letters, digits, _ and - may follow; 'columns: [...]' takes "
                  "some of the columns");
  }
  std::vector<std::size_t> places;
  for (const std::string& name : wanted.empty() ? names : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      const std::string help = did_you_mean(name, names);
      throw TableMistake{fmt::format("there is no column '{}'", name),
                         help.empty() ? fmt::format("its columns are {}", fmt::join(names, ", ")) : help, 1,
                         1};
    }
    places.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return places;
}

void add_row(std::vector<Matrix::Axis>& axes, const Record& row, const std::vector<std::size_t>& places) {
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const CsvField& field = row[places[a]];
    const std::string text = field.text();
    if (text.empty() && !field.quoted)
      refuse_cell(field, fmt::format("'{}' has no value here", axes[a].name), "write \"\" for an empty text");
    Value value = field.quoted ? Value{text, {}, text} : plain_value(text);
    add_value(axes[a], value);
  }
}

std::vector<Matrix::Axis> read_rows(CsvCursor& rows, const std::vector<std::string>& wanted) {
  Record header, row;
  if (!rows.next(header))
    throw TableMistake{"this file is empty", "it has a line of names, and then a line for each row"};
  const auto places = places_of_columns(header, wanted);
  std::vector<Matrix::Axis> axes;
  for (const std::size_t place : places) {
    axes.push_back({header[place].text(), {}});
    axes.back().zipped = axes.size() > 1;
  }
  while (rows.next(row)) {
    if (row.size() != header.size())
      refuse_cell(row.front(),
                  fmt::format("this row has {}, and the first line has {}", counted(row.size(), "field"),
                              header.size()),
                  "");
    add_row(axes, row, places);
  }
  return axes;
}

}  // namespace

bool is_axis_name(std::string_view word) {
  const auto part = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  return !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) &&
         std::all_of(word.begin(), word.end(), part);
}

Value plain_value(std::string_view text) {
  Value value{plain_scalar(text), {}, std::string(text)};
  return value;
}

void add_value(Matrix::Axis& axis, const Value& value) {
  const std::string text = own_spelling(value);
  if (!text.empty() && axis.texts.empty()) axis.texts.resize(axis.values.size());
  axis.values.push_back(to_json(value));
  if (!axis.texts.empty() || !text.empty()) axis.texts.push_back(text);
}

std::vector<Matrix::Axis> axes_of_csv(std::string_view text, char delimiter,
                                      const std::vector<std::string>& wanted) {
  try {
    const std::uint64_t begin = begin_of_text(text, "it", "CSV");
    if (!is_utf8(text)) throw TableMistake{"this is not UTF-8 text", "save the file as UTF-8"};
    CsvCursor rows(text.substr(begin), delimiter, 1);
    return read_rows(rows, wanted);
  } catch (const CsvError& error) {
    throw TableMistake{error.what(), "a quote inside a quoted field is written twice", error.place.line,
                       error.place.column};
  } catch (const TableError& error) {
    throw TableMistake{error.what(), error.help};
  }
}

}  // namespace kernmill
