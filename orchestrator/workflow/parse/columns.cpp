#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/parse/task_config.hpp"

namespace kernmill {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The fields of a CSV header; a quoted one may hold the delimiter, and "" for a quote.
std::vector<std::string> split_header(std::string_view line, char delimiter) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  std::vector<std::string> columns(1);
  bool quoted = false, was_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      columns.back() += line[++i];
    } else if (c == '"' && (quoted || trimmed(columns.back()).empty())) {
      quoted = !quoted;
      was_quoted = true;
    } else if (c == delimiter && !quoted) {
      if (!was_quoted) columns.back() = trimmed(columns.back());
      was_quoted = false;
      columns.emplace_back();
    } else {
      columns.back() += c;
    }
  }
  columns.back() = trimmed(columns.back());
  return columns;
}

class ColumnChecker {
 public:
  ColumnChecker(const Draft& draft, const StageDraft& stage) : draft_(draft), stage_(stage) {}

  void run() {
    if (!read_header()) return;
    const Value* target = value("target");
    const Value* column = target == nullptr ? nullptr : target->is_map() ? target->find("column") : target;
    if (column != nullptr) known(*column);
    const Value* series = value("series");
    if (const Value* split = value("split"); split != nullptr && split->is_map())
      each(split->find("group"), nullptr);
    names_of(value("columns"));
    each(value("features"), column);
    each(value("drop"), column);
    each(series == nullptr ? nullptr : series->find("columns"), nullptr);
  }

 private:
  const Value* value(std::string_view name) const {
    const Field* field = stage_.fields.find(name);
    return field == nullptr ? nullptr : field->value;
  }

  /// Whether the first line of the file names the columns.
  [[nodiscard]] bool is_plain_csv(const std::string& path) const {
    const std::string format = stage_.stage.config.value("format", "auto");
    if (format != "auto" && format != "csv" && format != "tsv") return false;
    if (path.find_first_of("*?[") != std::string::npos && !draft_.files.exists(path)) return false;
    for (const char* other :
         {".gz", "-ubyte", ".idx", ".npy", ".h5", ".hdf5", ".svm", ".libsvm", ".svmlight"})
      if (path.ends_with(other)) return false;
    return true;
  }

  /// False where there is nothing to check against: no header, or a file that is not there yet.
  bool read_header() {
    const auto& inputs = stage_.stage.inputs;
    const auto input =
        std::find_if(inputs.begin(), inputs.end(), [](const Input& i) { return i.key == "input"; });
    const Json& config = stage_.stage.config;
    if (input == inputs.end() || input->path.empty() || input->path.find("${{") != std::string::npos)
      return false;
    if (!is_plain_csv(input->path)) return false;
    const auto line = draft_.files.first_line(input->path);
    if (!line || trimmed(*line).empty()) {
      draft_.diagnostics.error(
          input->where,
          fmt::format("'{}' {}", value("input")->text,
                      line ? "begins with an empty line, or has none" : "cannot be read"),
          "it has to be a CSV file, with a line of column names unless header: false");
      return false;
    }
    const std::string delimiter = config.value("delimiter", "auto");
    if (config.value("header", Json(true)) != Json(true) || delimiter.find("${{") != std::string::npos)
      return false;
    const char automatic = input->path.ends_with(".tsv") ? '\t' : ',';
    columns_ = split_header(*line, delimiter == "auto" || delimiter.empty() ? automatic : delimiter[0]);
    path_ = input->path;
    return true;
  }

  void each(const Value* list, const Value* target) {
    if (list == nullptr) return;
    const auto* items = std::get_if<Value::List>(&list->data);
    if (items == nullptr) return check(*list, target);
    for (const Value& item : *items) check(item, target);
  }

  /// The keys of `columns:`.
  void names_of(const Value* columns) {
    const auto* map = columns == nullptr ? nullptr : std::get_if<Value::Map>(&columns->data);
    if (map == nullptr) return;
    for (const auto& entry : *map) known({entry.key, entry.key_where, entry.key});
  }

  void check(const Value& item, const Value* target) {
    if (!known(item) || target == nullptr || item.text != target->text || item.is_template()) return;
    draft_.diagnostics.error(item.where, fmt::format("column '{}' is the target already", item.text),
                             "the target is neither a feature nor dropped; name it once");
  }

  bool known(const Value& item) {
    if (item.is_null() || item.is_list() || item.is_map() || item.is_template())
      return true;  // judged elsewhere
    if (std::find(columns_.begin(), columns_.end(), item.text) != columns_.end()) return true;
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
  std::string path_;
};

}  // namespace

void check_columns(const Draft& draft, const StageDraft& stage) {
  ColumnChecker(draft, stage).run();
}

}  // namespace kernmill
