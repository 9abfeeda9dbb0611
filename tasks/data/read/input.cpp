#include "kernmill/tasks/data/read/input.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::string shown(const std::string& value) {
  constexpr std::size_t longest = 60;
  return value.size() <= longest ? value : value.substr(0, longest) + "...";
}

std::string place_of(const RejectedRow& bad) {
  if (bad.place.line == 0) return fmt::format("{}, row {}", bad.file, bad.row);
  return fmt::format("{}:{}:{}", bad.file, bad.place.line, bad.place.column);
}

OnBadRow on_bad_row_of(const std::string& setting) {
  if (setting == "error") return OnBadRow::error;
  if (setting == "skip") return OnBadRow::skip;
  if (setting == "impute") return OnBadRow::impute;
  throw SpecError("spec.json: on_bad_row cannot be '" + setting + "'");
}

namespace {

/// Of the wanted values, and the row's number behind them.
std::vector<storage::Element> types_of(const Selection& selection) {
  std::vector<storage::Element> types;
  for (const Wanted& wanted : selection.columns)
    types.push_back(wanted.text ? storage::Element::f64 : wanted.type);
  types.push_back(storage::Element::f64);
  return types;
}

}  // namespace

RawTable::RawTable(const Selection& selection, const Buffer& buffer) : rows(types_of(selection), buffer) {
  for (const Wanted& wanted : selection.columns) dictionaries.emplace_back(wanted.known);
}

std::size_t column_index(const Input& input, const std::string& name, const std::string& wanted_as) {
  const auto& names = input.names();
  const auto it = std::find(names.begin(), names.end(), name);
  if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
  const std::string meant = did_you_mean(name, names);
  const std::string list = fmt::format("the columns are: {}", fmt::join(names, ", "));
  throw TaskError(fmt::format("{} has no column '{}' ({})", input.name(), name, wanted_as),
                  input.name() + ":1:1", fmt::format("{}{}{}", meant, meant.empty() ? "" : " ", shown(list)));
}

bool means_missing(std::string_view text, const std::vector<std::string>& more) {
  static constexpr std::array usual{"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"};
  return std::find(usual.begin(), usual.end(), text) != usual.end() ||
         std::find(more.begin(), more.end(), text) != more.end();
}

void number_rows(const Communicator& comm, const Input& input, RawTable& table) {
  table.first_row = comm.exscan(table.read);
  for (auto& rejected : table.rejected) rejected.row += table.first_row;
  table.total_rows = comm.allreduce(table.read, Reduction::sum);
  if (table.total_rows == 0)
    throw TaskError(fmt::format("{} has no data rows", input.name()), input.name() + ":1:1",
                    "it needs at least one, below the header where there is one");
}

TaskError error_of(const RejectedRow& bad) {
  if (bad.column.empty())
    return TaskError(fmt::format("the row {}", bad.reason), place_of(bad),
                     "is a delimiter missing, or does a text with delimiters need quotes?");
  const bool inexact = bad.reason.find("2^53") != std::string::npos;
  return TaskError(
      fmt::format("'{}' in column '{}' {}", shown(bad.value), bad.column, bad.reason), place_of(bad),
      !bad.help.empty() ? bad.help
      : bad.reason.find("weight") != std::string::npos
          ? "a weight is 0 or more: correct it, or leave the row out (`on_bad_row: skip`)"
      : inexact ? "is it a name? A target of `type: class` and a column of `type: category` keep it as text; "
                  "else drop the column, or write the number with the digits that count (1.5e18)"
                : "correct the value, or leave the row or the column out; `impute` fills in missing values, "
                  "`encode` makes numbers of texts");
}

ValueJudge::ValueJudge(const Selection& selection, RawTable& table) : selection_(&selection), table_(&table) {
  double number = 0;
  for (const auto& text : selection.missing)
    if (parse_number(text, number).empty()) missing_.push_back(number);
}

bool ValueJudge::means_missing(double number) const {
  return std::find(missing_.begin(), missing_.end(), number) != missing_.end();
}

std::string ValueJudge::bad(std::size_t wanted, std::string reason, double& slot) {
  slot = missing_value;
  if (selection_->on_bad_row != OnBadRow::impute || !selection_->columns[wanted].may_be_missing)
    return reason;
  ++table_->imputed;
  return "";
}

std::string ValueJudge::take_category(std::size_t wanted, std::string_view text, double& slot) {
  const Wanted& as = selection_->columns[wanted];
  if (as.may_be_missing && tasks::means_missing(text, selection_->missing)) {
    slot = missing_value;
    return "";
  }
  if (text.empty()) return bad(wanted, "is empty", slot);
  if (text.find('\0') != std::string_view::npos) return bad(wanted, "holds a NUL byte", slot);
  if (!is_utf8(text)) return bad(wanted, "is not UTF-8", slot);
  const std::uint32_t code = table_->dictionaries[wanted].code_of(text);
  slot = code;
  if (as.only_known && code >= as.known.size())
    return bad(wanted, "is none of the categories that the model knows", slot);
  return "";
}

std::string ValueJudge::take_text(std::size_t wanted, std::string_view text, double& slot) {
  const Wanted& as = selection_->columns[wanted];
  if (as.text) return take_category(wanted, text, slot);
  std::string reason = parse_exact_number(text, slot);
  if (reason.empty()) return take_number(wanted, slot, slot);
  if (as.may_be_missing) {
    const auto first = text.find_first_not_of(" \t");
    const std::string_view plain =
        first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
    if (tasks::means_missing(plain, selection_->missing)) {
      slot = missing_value;
      return "";
    }
  }
  return bad(wanted, std::move(reason), slot);
}

std::string ValueJudge::take_number(std::size_t wanted, double number, double& slot) {
  const Wanted& as = selection_->columns[wanted];
  if (as.text) return take_category(wanted, std::isnan(number) ? "" : fmt::format("{}", number), slot);
  slot = means_missing(number) ? missing_value : number;
  if (std::isnan(slot) && as.may_be_missing) return "";
  if (std::isnan(slot) && !std::isnan(number)) return bad(wanted, "means a missing value (`missing`)", slot);
  if (!std::isfinite(number)) return bad(wanted, "is not a finite number", slot);
  if (as.positive && number <= 0) return bad(wanted, "is not above zero: it has no logarithm", slot);
  if (as.not_negative && number < 0) return bad(wanted, "is negative, and a row's weight may not be", slot);
  if (as.limits && !as.limits->hold(number)) return fmt::format("is none that {} holds", as.limits->type);
  return "";
}

}  // namespace kernmill::tasks
