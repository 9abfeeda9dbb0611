#include "kernmill/workflow/parse/axis_sources.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/sha256.hpp"
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/parse/axis_range.hpp"
#include "kernmill/workflow/parse/axis_table.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& source_kinds() {
  static const std::vector<std::string> kinds{"glob", "range", "csv", "zip", "from"};
  return kinds;
}

bool is_source_kind(const std::string& word) {
  return std::find(source_kinds().begin(), source_kinds().end(), word) != source_kinds().end();
}

class SourceReader {
 public:
  SourceReader(const std::string& name, const AxisSurroundings& around) : name_(name), around_(around) {}

  SourcedAxes read(const Value& source) {
    const auto& map = std::get<Value::Map>(source.data);
    const Value* kind = nullptr;
    for (const auto& entry : map) {
      if (is_source_kind(entry.key) && kind == nullptr)
        kind_ = entry.key, kind = &entry.value;
      else if (entry.key == "columns")
        read_columns(entry.value);
      else
        refuse(entry.key_where,
               is_source_kind(entry.key) ? fmt::format("'{}' and '{}' exclude each other", kind_, entry.key)
                                         : fmt::format("axis '{}' takes one of {}, not '{}'", name_,
                                                       fmt::join(source_kinds(), ", "), entry.key),
               did_you_mean(entry.key, source_kinds()));
    }
    const Value* columns = source.find("columns");
    if (columns != nullptr && kind_ != "csv" && kind_ != "from")
      refuse(columns->where, "'columns' belongs to 'csv' and 'from'", "");
    if (kind == nullptr || failed_) return {};
    if (kind->is_template()) return {};  // reported where its name is unknown
    read_kind(*kind);
    if (failed_) return {};
    return std::move(result_);
  }

 private:
  void read_kind(const Value& value) {
    if (kind_ == "glob") return read_glob(value);
    if (kind_ == "range") return read_range(value);
    if (kind_ == "csv") return read_csv(value);
    if (kind_ == "zip") return read_zip(value);
    read_from(value);
  }

  void read_columns(const Value& value) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr || list->empty())
      return refuse(value.where, "'columns' takes a list of names", "columns: [x, y]");
    for (const Value& item : *list) {
      columns_.push_back(item.text);
      if (!is_axis_name(item.text) || std::count(columns_.begin(), columns_.end(), item.text) > 1)
        refuse(item.where,
               is_axis_name(item.text) ? fmt::format("the column '{}' is named twice", item.text)
                                       : fmt::format("'{}' cannot be the name of an axis", item.text),
               "");
    }
  }

  void read_glob(const Value& value) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) add_files(value);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) add_files((*list)[i]);
    if (files_.empty() && !failed_)
      refuse(value.where, "'glob' takes a pattern of files", "glob: data/*.csv");
    Matrix::Axis axis{name_, {files_.begin(), files_.end()}};
    result_.axes.push_back(std::move(axis));
  }

  void add_files(const Value& pattern) {
    if (pattern.is_list() || pattern.is_map() || pattern.is_null() || pattern.text.empty())
      return refuse(pattern.where, "'glob' takes a pattern of files, not " + describe(pattern),
                    "glob: data/*.csv");
    const auto found = around_.files.matching ? around_.files.matching(around_.base_directory, pattern.text)
                                              : std::vector<std::string>{};
    if (found.empty())
      return refuse(pattern.where, fmt::format("no file matches '{}'", pattern.text),
                    "patterns are relative to the workflow's folder");
    files_.insert(files_.end(), found.begin(), found.end());
    result_.sources.push_back({pattern.text, sha256(fmt::format("{}", fmt::join(found, "\n")))});
  }

  void read_range(const Value& value) {
    std::vector<const Value*> ends;
    if (const auto* list = std::get_if<Value::List>(&value.data))
      for (const Value& item : *list) ends.push_back(&item);
    else
      ends.push_back(&value);
    const RangeNumbers numbers = range_numbers(ends, limits::instances);
    if (!numbers.problem.empty())
      return refuse(value.where, numbers.problem, "range: [0, 1, 0.25] gives 0.00, 0.25, 0.50 and 0.75");
    Matrix::Axis axis{name_, {}};
    for (const std::string& text : numbers.texts) add_value(axis, plain_value(text));
    result_.axes.push_back(std::move(axis));
  }

  void read_csv(const Value& value) {
    if (!value.is_string() || value.text.empty())
      return refuse(value.where, "'csv' takes the name of a file, not " + describe(value), "csv: points.csv");
    const fs::path path = (fs::path(around_.base_directory) / value.text).lexically_normal();
    const std::string what = around_.files.no_file ? around_.files.no_file(path) : "";
    const auto text = what.empty() ? around_.files.read(path, 0, limits::file_bytes + 1) : std::nullopt;
    if (!text)
      return refuse(value.where,
                    what.empty() ? fmt::format("'{}' cannot be read", value.text)
                                 : fmt::format("'{}' is {}, not a file", value.text, what),
                    "paths are relative to the workflow's file; this one is " + path.string());
    if (text->size() > limits::file_bytes)
      return refuse(value.where,
                    fmt::format("'{}' is larger than {} MiB", value.text, limits::file_bytes >> 20), "");
    try {
      result_.axes = axes_of_csv(*text, delimiter_of("auto", "csv", path), columns_);
      result_.sources.push_back({value.text, sha256(*text)});
      if (result_.axes.front().values.empty())
        refuse(value.where, fmt::format("'{}' has no row", value.text),
               "it has a line of names, and then a line for each row");
    } catch (const TableMistake& mistake) {
      report_in_file(value, *text, mistake);
    }
  }

  /// With the line of the file that it is on.
  void report_in_file(const Value& name, const std::string& text, const TableMistake& mistake) {
    const fs::path beside = fs::path(name.where.file ? name.where.file->path : "").parent_path();
    const auto file = std::make_shared<const SourceFile>(
        SourceFile{(beside / name.text).lexically_normal().string(), text});
    refuse({file, static_cast<std::uint32_t>(mistake.line), static_cast<std::uint32_t>(mistake.column), 1},
           mistake.message, mistake.help);
  }

  void read_zip(const Value& value) {
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr || map->empty())
      return refuse(value.where, "'zip' takes a map from names to lists of values",
                    "zip: {x: [1, 2], y: [a, b]}");
    for (const auto& entry : *map) add_zipped(entry);
  }

  void add_zipped(const Value::Entry& entry) {
    if (!is_axis_name(entry.key))
      return refuse(entry.key_where, fmt::format("'{}' cannot be the name of an axis", entry.key),
                    "a name begins with a letter; letters, digits, _ and - may follow");
    SourcedAxes part;
    if (const auto* list = std::get_if<Value::List>(&entry.value.data))
      part.axes.push_back(axis_of_list(entry.key, *list));
    else if (is_axis_source(entry.value) && entry.value.find("zip") == nullptr &&
             entry.value.find("from") == nullptr)
      part = read_axis_source(entry.key, entry.value, around_);
    else if (!entry.value.is_template())
      return refuse(entry.value.where,
                    fmt::format("'{}' takes a list of values here, not {}", entry.key, describe(entry.value)),
                    "");
    if (!part.good()) return void(failed_ = true);
    auto& axes = result_.axes;
    const std::size_t size = part.axes.front().values.size();
    if (axes.empty()) first_zipped_ = entry.key;
    if (!axes.empty() && size != axes.front().values.size())
      return refuse(entry.value.where,
                    fmt::format("'{}' has {} values, and '{}' has {}", entry.key, size, first_zipped_,
                                axes.front().values.size()),
                    "axes that are zipped have as many values as each other");
    for (Matrix::Axis& axis : part.axes) {
      axis.zipped = !axes.empty();
      axes.push_back(std::move(axis));
    }
    for (auto& source : part.sources) result_.sources.push_back(std::move(source));
  }

  void read_from(const Value& value) {
    const std::string help = "from: stages.split.parts";
    if (!value.is_string())
      return refuse(value.where, "'from' takes a metric or an artifact of a stage, not " + describe(value),
                    help);
    std::vector<NamePath> names;
    try {
      names = names_in("${{ " + value.text + " }}");
    } catch (const ExpressionError&) {
    }
    if (names.size() != 1) return refuse(value.where, "'from' takes one metric or artifact of a stage", help);
    NamePath path = names.front();
    if (path[0] == "stages") path.erase(path.begin());
    if (path.size() < 2) return refuse(value.where, "which result of the stage is meant?", help);
    const std::vector<std::string> rest(path.begin() + 1, path.end());
    Matrix::Later later{columns_, !columns_.empty(), path[0], fmt::format("{}", fmt::join(rest, "."))};
    if (later.axes.empty()) later.axes.push_back(name_);
    for (const std::string& axis : later.axes) {
      result_.axes.push_back({axis, {}});
      result_.axes.back().zipped = result_.axes.size() > 1;
    }
    result_.later.push_back(std::move(later));
    around_.later_where.push_back(value.where);
  }

  void refuse(const Where& where, std::string message, std::string help) {
    failed_ = true;
    around_.diagnostics.error(where, std::move(message), std::move(help));
  }

  const std::string& name_;
  const AxisSurroundings& around_;
  std::string kind_, first_zipped_;
  std::vector<std::string> columns_, files_;
  SourcedAxes result_;
  bool failed_ = false;
};

}  // namespace

SourcedAxes read_axis_source(const std::string& name, const Value& source, const AxisSurroundings& around) {
  return SourceReader(name, around).read(source);
}

bool is_axis_source(const Value& value) {
  const auto* map = std::get_if<Value::Map>(&value.data);
  return map != nullptr && !map->empty();
}

Matrix::Axis axis_of_list(const std::string& name, const Value::List& list) {
  Matrix::Axis axis{name, {}};
  axis.values.reserve(list.size());
  for (const Value& item : list) add_value(axis, item);
  return axis;
}

}  // namespace kernmill
