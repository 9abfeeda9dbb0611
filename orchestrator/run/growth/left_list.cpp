#include "kernmill/run/growth/left_list.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/table/table_header.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/parse/axis_table.hpp"
#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/value/json_text.hpp"
#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

/// Why a list is no use, in words.
struct UselessList {
  std::string why;
};

std::vector<Matrix::Axis> no_values(const Matrix::Later& later) {
  std::vector<Matrix::Axis> axes;
  for (const std::string& name : later.axes) axes.push_back({name, {}});
  return axes;
}

/// Of a table, an item is a map from the axes to values.
void add_item(std::vector<Matrix::Axis>& axes, const Matrix::Later& later, const Value& item,
              std::size_t number) {
  if (!later.table) {
    if (item.is_map())
      throw UselessList{
          fmt::format("its item {} is a map; name the keys that are axes: columns: [...]", number)};
    return add_value(axes.front(), item);
  }
  for (Matrix::Axis& axis : axes) {
    const Value* value = item.find(axis.name);
    if (value == nullptr) throw UselessList{fmt::format("its item {} has no '{}'", number, axis.name)};
    add_value(axis, *value);
  }
}

std::vector<Matrix::Axis> axes_of_value(const Value& value, const Matrix::Later& later) {
  const auto* list = std::get_if<Value::List>(&value.data);
  if (list == nullptr) throw UselessList{"it is " + describe(value) + ", not a list"};
  auto axes = no_values(later);
  std::size_t number = 0;
  for (const Value& item : *list) add_item(axes, later, item, ++number);
  return axes;
}

std::vector<Matrix::Axis> axes_of_json(const std::string& path, const std::string& text,
                                       const Matrix::Later& later) {
  Diagnostics found;
  const auto value = read_yaml(std::make_shared<const SourceFile>(SourceFile{path, text}), found);
  if (found.has_errors()) {
    const Diagnostic& first = found.all().front();
    throw UselessList{
        fmt::format("line {}, column {}: {}", first.where.line, first.where.column, first.message)};
  }
  if (!value) throw UselessList{"it is empty"};
  return axes_of_value(*value, later);
}

std::vector<Matrix::Axis> axes_of_table(const std::string& path, const std::string& text,
                                        const Matrix::Later& later) {
  try {
    const auto wanted = later.table ? later.axes : std::vector<std::string>{};
    auto axes = axes_of_csv(text, delimiter_of("auto", "csv", path), wanted);
    if (!later.table && axes.size() > 1)
      throw UselessList{"it has several columns; name those that are axes: columns: [...]"};
    if (!later.table) axes.front().name = later.axes.front();
    return axes;
  } catch (const TableMistake& mistake) {
    throw UselessList{mistake.line == 0 ? mistake.message
                                        : fmt::format("line {}, column {}: {}", mistake.line, mistake.column,
                                                      mistake.message)};
  }
}

std::vector<Matrix::Axis> axes_of_lines(const std::string& text, const Matrix::Later& later) {
  if (later.table) throw UselessList{"'columns' takes CSV or JSON, and this is neither"};
  if (!is_utf8(text) || text.find('\0') != std::string::npos) throw UselessList{"it is not UTF-8 text"};
  auto axes = no_values(later);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    add_value(axes.front(), plain_value(line));
  }
  return axes;
}

std::vector<Matrix::Axis> axes_of_file(const fs::path& path, const Matrix::Later& later) {
  std::error_code unreadable;
  if (!fs::is_regular_file(path, unreadable)) throw UselessList{"it is no regular file"};
  if (fs::file_size(path, unreadable) > limits::file_bytes)
    throw UselessList{fmt::format("it has more than {} MiB", limits::file_bytes >> 20)};
  const std::string text = read_file(path);
  const std::string ending = path.extension().string();
  if (ending == ".csv" || ending == ".tsv" || ending == ".tab")
    return axes_of_table(path.string(), text, later);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (ending == ".json" || (first != std::string::npos && text[first] == '['))
    return axes_of_json(path.string(), text, later);
  return axes_of_lines(text, later);
}

/// A command writes a list as the text of its metric.
std::vector<Matrix::Axis> axes_of_metric(const Json& metric, const Matrix::Later& later) {
  const Json list = metric.is_string() ? json_or_nothing(metric.get_ref<const std::string&>()) : metric;
  return axes_of_value(value_from_json(list.is_array() ? list : metric, {}), later);
}

std::string what_is_there(const InstanceResult& left) {
  std::vector<std::string> names;
  for (const auto& [name, value] : left.metrics.items()) names.push_back(name);
  for (const Artifact& artifact : left.artifacts) names.push_back(artifact.name);
  if (names.empty()) return "it has left nothing";
  return fmt::format("it has left {}", fmt::join(names, ", "));
}

}  // namespace

DecidedList left_list(const InstanceResult& left, const Matrix::Later& later) {
  std::string what = fmt::format("the list '{}' of stage {}", later.name, later.stage);
  try {
    for (const Artifact& artifact : left.artifacts)
      if (artifact.name == later.name) {
        what += fmt::format(" ({})", artifact.path);
        return {axes_of_file(artifact.path, later), ""};
      }
    if (const auto metric = left.metrics.find(later.name); metric != left.metrics.end())
      return {axes_of_metric(*metric, later), ""};
    return {{}, fmt::format("stage {} has left no '{}': {}", later.stage, later.name, what_is_there(left))};
  } catch (const UselessList& useless) {
    return {{}, fmt::format("{} cannot be used: {}", what, useless.why)};
  } catch (const std::exception& error) {
    return {{}, fmt::format("{} cannot be read: {}", what, error.what())};
  }
}

}  // namespace kernmill
