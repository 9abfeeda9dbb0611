#include "kernmill/storage/tool/describe.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/file/nesting.hpp"

namespace kernmill::storage::tool {
namespace {

constexpr std::size_t shown_columns = 20;
constexpr std::size_t shown_names = 8;

const char* to_string(TargetKind kind) {
  switch (kind) {
    case TargetKind::none:
      return "none";
    case TargetKind::classes:
      return "classes";
    case TargetKind::numbers:
      break;
  }
  return "numbers";
}

const char* to_string(ColumnType type) {
  return type == ColumnType::number ? "number" : "category";
}

std::string names_text(const std::vector<std::string>& names) {
  if (names.size() <= shown_names) return shown(fmt::format("{}", fmt::join(names, ", ")));
  return shown(fmt::format("{}, ... {}", fmt::join(names.begin(), names.begin() + shown_names - 1, ", "),
                           names.back()));
}

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

std::string range_text(const InputColumn& column) {
  if (column.type == ColumnType::category) return names_text(column.categories);
  if (!std::isfinite(column.lowest)) return "-";
  return fmt::format("{:.6g} .. {:.6g}", column.lowest, column.highest);
}

std::string target_text(const Schema& schema) {
  if (schema.target_kind == TargetKind::none) return "none";
  const bool classes = schema.target_kind == TargetKind::classes;
  const auto& names = classes ? schema.classes : schema.target_names;
  const std::string of = schema.target.empty() ? "" : shown(schema.target) + ": ";
  return fmt::format("{}{} ({})", of,
                     classes ? fmt::format("{} classes", names.size()) : counted(names.size(), "number"),
                     names_text(names));
}

std::string inputs_text(const std::vector<InputColumn>& inputs) {
  std::size_t width = 0;
  const std::size_t count = std::min(inputs.size(), shown_columns);
  for (std::size_t i = 0; i < count; ++i) width = std::max(width, shown(inputs[i].name).size());
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += fmt::format("    {:<{}}  {:<8}  {}{}\n", shown(inputs[i].name), width, to_string(inputs[i].type),
                        range_text(inputs[i]),
                        inputs[i].missing > 0 ? fmt::format("  {} missing", inputs[i].missing) : "");
  if (count < inputs.size()) text += fmt::format("    ... {} more\n", inputs.size() - count);
  return text;
}

}  // namespace

void print(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

std::string shown(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    if (code == 0xC2 && next >= 0x80 && next <= 0x9F)  // control characters, too: U+009B is as good as ESC [
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    else if (c == '\n')
      result += "\\n";
    else if (code < 0x20 || code == 0x7F)
      result += fmt::format("\\x{:02x}", code);
    else
      result += c;
  }
  return result;
}

std::string counted(std::uint64_t count, const std::string& thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.4g} {}", value, units[unit]);
}

Json json_of(const std::string& text) {
  if (text.empty()) return nullptr;
  if (nests_deeper_than(text, most_levels)) return "nested too deeply to be shown";
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

Json to_json(const Schema& schema) {
  Json inputs = Json::array(), steps = Json::array();
  for (const InputColumn& column : schema.inputs)
    inputs.push_back({{"name", column.name},
                      {"type", to_string(column.type)},
                      {"categories", column.categories},
                      {"lowest", number_or_null(column.lowest)},
                      {"highest", number_or_null(column.highest)},
                      {"missing", column.missing}});
  for (const Step& step : schema.steps)
    steps.push_back(
        {{"kind", step.kind}, {"columns", step.columns}, {"numbers", step.numbers}, {"texts", step.texts}});
  Json json{{"source", schema.source},
            {"target", schema.target},
            {"target_kind", to_string(schema.target_kind)},
            {"classes", schema.classes},
            {"target_names", schema.target_names},
            {"inputs", std::move(inputs)},
            {"steps", std::move(steps)},
            {"features", schema.features},
            {"split", json_of(schema.split)}};
  if (!schema.weight.empty()) json["weight"] = schema.weight;
  if (!schema.series.transform.empty())
    json["series"] = {{"transform", schema.series.transform},
                      {"window", schema.series.window},
                      {"horizon", schema.series.horizon},
                      {"columns", schema.series.columns}};
  return json;
}

std::string to_text(const Schema& schema) {
  std::string text =
      fmt::format("  source    {}\n  target    {}\n", shown(schema.source), target_text(schema));
  if (!schema.weight.empty()) text += fmt::format("  weight    {}\n", shown(schema.weight));
  if (!schema.split.empty()) text += fmt::format("  split     {}\n", shown(schema.split));
  if (!schema.series.transform.empty())
    text += fmt::format("  series    {}: windows of {}, {} ahead, of {}\n", shown(schema.series.transform),
                        schema.series.window, schema.series.horizon, names_text(schema.series.columns));
  if (!schema.inputs.empty())
    text += fmt::format("  inputs    {}\n{}", counted(schema.inputs.size(), "column"),
                        inputs_text(schema.inputs));
  for (const Step& step : schema.steps)
    text += fmt::format("  step      {} of {}\n", shown(step.kind), names_text(step.columns));
  text += fmt::format("  features  {}: {}\n", schema.features.size(), names_text(schema.features));
  return text;
}

}  // namespace kernmill::storage::tool
