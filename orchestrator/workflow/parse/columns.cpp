#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/workflow/parse/task_config.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

struct LongHeader {};

class ColumnChecker {
 public:
  ColumnChecker(const Draft& draft, const StageDraft& stage) : draft_(draft), stage_(stage) {}

  void run() {
    if (!check_delimiter() || !read_header()) return;
    const Value* target = value("target");
    const Value* column = target == nullptr ? nullptr : target->is_map() ? target->find("column") : target;
    if (column != nullptr) known(*column);
    const Value* weight = value("sample_weight");
    if (weight != nullptr) check(*weight, {column, nullptr});
    const Taken taken{column, weight};
    const Value* series = value("series");
    if (const Value* split = value("split"); split != nullptr && split->is_map())
      each(split->find("group"), {});
    names_of(value("columns"));
    each(value("features"), taken);
    each(value("drop"), taken);
    each(series == nullptr ? nullptr : series->find("columns"), {});
  }

 private:
  /// Columns that are for something else already; null: none.
  struct Taken {
    const Value *target = nullptr, *weight = nullptr;
  };

  const Value* value(std::string_view name) const {
    const Field* field = stage_.fields.find(name);
    return field == nullptr ? nullptr : field->value;
  }

  /// Whether it is one file, of text, that can be looked into before the run.
  [[nodiscard]] bool is_plain_csv(const std::string& path, const std::string& format) const {
    const auto wild = std::filesystem::path(path).filename().string().find_first_of("*?[");
    if (format != "csv" && format != "tsv") return false;
    return !path.ends_with(".gz") && (wild == std::string::npos || draft_.files.exists(path));
  }

  /// False where there is nothing to check against: a file that is not there yet, or not plain text.
  bool read_header() {
    const auto& inputs = stage_.stage.inputs;
    const auto input =
        std::find_if(inputs.begin(), inputs.end(), [](const Input& i) { return i.key == "input"; });
    const Json& config = stage_.stage.config;
    if (input == inputs.end() || input->path.empty() || input->path.find("${{") != std::string::npos)
      return false;
    path_ = input->path;
    const std::string format = format_of(config.value("format", "auto"), path_);
    const Json header = config.value("header", Json(true));
    const std::string delimiter = config.value("delimiter", "auto");
    if (draft_.files.no_file && !draft_.files.no_file(path_).empty()) return false;  // reported
    const std::string sign = config.value("decimal", ".");
    if (!is_plain_csv(path_, format) || !header.is_boolean() ||
        (delimiter + sign).find("${{") != std::string::npos)
      return false;
    const auto beginning = draft_.files.read(path_, 0, 2);
    if (!beginning) {
      draft_.diagnostics.error(input->where, fmt::format("'{}' cannot be read", value("input")->text), "");
      return false;
    }
    if (begins_as_gzip(*beginning)) return false;
    return take_header(input->where, delimiter, format, header.get<bool>());
  }

  [[nodiscard]] char decimal() const { return decimal_of(stage_.stage.config.value("decimal", ".")); }

  /// As the task will take it.
  bool check_delimiter() {
    const Value* delimiter = value("delimiter");
    const auto* text = delimiter == nullptr || delimiter->is_template()
                           ? nullptr
                           : std::get_if<std::string>(&delimiter->data);
    try {
      if (text != nullptr) delimiter_of(*text, "csv", {}, decimal());
      return true;
    } catch (const TableError& e) {
      draft_.diagnostics.error(delimiter->where, e.what(), e.help);
      return false;
    }
  }

  /// As the task will read it.
  bool take_header(const Where& where, const std::string& delimiter, const std::string& format, bool header) {
    const auto read = [&](std::uint64_t offset, std::uint64_t count) {
      if (offset > limits::header_bytes) throw LongHeader{};
      return draft_.files.read(path_, offset, count).value_or("");
    };
    try {
      const CsvFormat csv{delimiter_of(delimiter, format, path_, decimal()), header};
      columns_ = read_csv_header(read, value("input")->text, csv).names;
      known_.insert(columns_.begin(), columns_.end());
      return true;
    } catch (const LongHeader&) {
      draft_.diagnostics.warning(where,
                                 fmt::format("the first line of '{}' is longer than {} MiB",
                                             value("input")->text, limits::header_bytes >> 20),
                                 "its columns are checked when the stage reads it; is it a table?");
      return false;
    } catch (const TableError& e) {
      const bool placed = !e.where.empty() && !e.where.ends_with(":1:1");
      draft_.diagnostics.error(
          where, fmt::format("{}{}{}", placed ? e.where : "", placed ? ": " : "", e.what()), e.help);
      return false;
    }
  }

  void each(const Value* list, const Taken& taken) {
    if (list == nullptr) return;
    const auto* items = std::get_if<Value::List>(&list->data);
    if (items == nullptr) return check(*list, taken);
    for (const Value& item : *items) check(item, taken);
  }

  /// The keys of `columns:`.
  void names_of(const Value* columns) {
    const auto* map = columns == nullptr ? nullptr : std::get_if<Value::Map>(&columns->data);
    if (map == nullptr) return;
    for (const auto& entry : *map) known({entry.key, entry.key_where, entry.key});
  }

  void check(const Value& item, const Taken& taken) {
    if (!known(item) || item.is_template()) return;
    if (taken.target != nullptr && item.text == taken.target->text)
      draft_.diagnostics.error(item.where, fmt::format("column '{}' is the target already", item.text),
                               "the target is neither a feature nor dropped; name it once");
    if (taken.weight != nullptr && item.text == taken.weight->text)
      draft_.diagnostics.error(item.where, fmt::format("column '{}' is the rows' weight already", item.text),
                               "a weight is neither a feature nor dropped; name it once");
  }

  bool known(const Value& item) {
    if (item.is_null() || item.is_list() || item.is_map() || item.is_template())
      return true;  // judged elsewhere
    if (known_.contains(item.text)) return true;
    std::string help = did_you_mean(item.text, columns_);
    constexpr std::size_t few = 12;
    if (help.empty() && columns_.size() <= few)
      help = "its columns are " + fmt::format("{}", fmt::join(columns_, ", "));
    if (help.empty())
      help = fmt::format("it has {} columns, {} to {}", columns_.size(), columns_.front(), columns_.back());
    const std::string file = path_.substr(path_.rfind('/') + 1);
    draft_.diagnostics.error(item.where, fmt::format("{} has no column '{}'", file, item.text), help);
    return false;
  }

  const Draft& draft_;
  const StageDraft& stage_;
  std::vector<std::string> columns_;
  std::unordered_set<std::string> known_;
  std::string path_;
};

}  // namespace

void check_columns(const Draft& draft, const StageDraft& stage) {
  ColumnChecker(draft, stage).run();
}

}  // namespace kernmill
