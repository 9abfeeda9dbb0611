#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/base/table/numbers.hpp"
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/workflow/parse/task_config.hpp"

// A model that predicts numbers cannot learn classes, nor the other way round. What a target is, its `type`
// says, or the first rows of the file do. And what else a model wants of its rows.

namespace kernmill {
namespace {

constexpr std::uint64_t bytes_to_look_at = 256 * 1024;

/// What the values of a target are, as far as they were looked at.
struct TargetLook {
  enum class Kind { unknown, classes, whole_numbers, numbers } kind = Kind::unknown;
  bool all_seen = false;  ///< the file has no more rows
  std::size_t rows = 0, distinct = 0;
};

/// Texts alone make it classes, whatever follows; a fraction makes it numbers.
class TargetCensus {
 public:
  explicit TargetCensus(const Json& missing) {
    for (const Json& text : missing)
      if (text.is_string()) missing_.insert(text.get<std::string>());
  }
  void add(const std::string& text) {
    if (text.empty() || missing_.contains(text)) return;
    ++rows_;
    distinct_.insert(text);
    double number = 0;
    const std::string reason = parse_number(text, number);
    if (!reason.empty())
      (reason == "is not a finite number" ? not_finite_ : texts_) = true;
    else if (std::floor(number) != number || (std::abs(number) >= end_of_exact_integers && !is_integer(text)))
      fractions_ = true;
  }
  [[nodiscard]] TargetLook look(bool all_seen) const {
    using Kind = TargetLook::Kind;
    Kind kind = Kind::whole_numbers;
    if (rows_ == 0 || not_finite_ || (texts_ && fractions_))
      kind = Kind::unknown;
    else if (texts_ || fractions_)
      kind = texts_ ? Kind::classes : Kind::numbers;
    return {kind, all_seen, rows_, distinct_.size()};
  }

 private:
  std::set<std::string> missing_{"NA", "N/A", "NaN", "nan", "null", "NULL", "None"}, distinct_;
  std::size_t rows_ = 0;
  bool texts_ = false, fractions_ = false, not_finite_ = false;
};

/// How a table begins.
struct TableBeginning {
  std::vector<std::string> names;
  std::string rows;  ///< whole ones, as text
  CsvFormat csv{};
  std::uint64_t first_line = 1;
  bool all_seen = false;
};

TableBeginning begin_table(std::string bytes, const std::string& path, const CsvFormat& csv) {
  const auto read = [&](std::uint64_t offset, std::uint64_t count) {
    return offset >= bytes.size() ? std::string() : bytes.substr(offset, count);
  };
  const CsvHeader header = read_csv_header(read, path, csv);
  const bool all_seen = bytes.size() < bytes_to_look_at;
  if (!all_seen) bytes.resize(bytes.rfind('\n') + 1);
  bytes.erase(0, header.data_begin);
  return {header.names, std::move(bytes), csv, header.data_line, all_seen};
}

/// Nothing where a file cannot be looked into: check_columns, or the task, says so.
std::optional<TableBeginning> look_into(const Files& files, const std::string& path, const Json& config) {
  const std::string format = format_of(config.value("format", "auto"), path);
  if ((format != "csv" && format != "tsv") || path.ends_with(".gz") || path.find("${{") != std::string::npos)
    return {};
  const Json header = config.value("header", Json(true));
  if (!header.is_boolean() || !files.read || (files.no_file && !files.no_file(path).empty())) return {};
  auto bytes = files.read(path, 0, bytes_to_look_at);
  if (!bytes || begins_as_gzip(*bytes)) return {};
  try {
    const char decimal = decimal_of(config.value("decimal", "."));
    const char delimiter = delimiter_of(config.value("delimiter", "auto"), format, path, decimal);
    return begin_table(std::move(*bytes), path, {delimiter, header.get<bool>(), decimal});
  } catch (const TableError&) {
    return {};
  }
}

TargetLook census_of(const TableBeginning& table, const std::string& column, const Json& missing) {
  const auto found = std::find(table.names.begin(), table.names.end(), column);
  if (found == table.names.end()) return {};
  const auto place = static_cast<std::size_t>(found - table.names.begin());
  TargetCensus census(missing);
  CsvCursor cursor(table.rows, table.csv.delimiter, table.first_line);
  try {
    for (std::vector<CsvField> fields; cursor.next(fields);)
      if (fields.size() == table.names.size())
        census.add(with_decimal_point(fields[place].text(), table.csv.decimal));
  } catch (const CsvError&) {  // the last row may be cut short within quotes
    return {};
  }
  return census.look(table.all_seen);
}

/// The label that a line of LIBSVM's format begins with.
TargetLook census_of_labels(const Files& files, const std::string& path) {
  const auto bytes = files.read ? files.read(path, 0, bytes_to_look_at) : std::nullopt;
  if (!bytes || begins_as_gzip(*bytes) || (files.no_file && !files.no_file(path).empty())) return {};
  const bool all_seen = bytes->size() < bytes_to_look_at;
  std::istringstream lines(all_seen ? *bytes : bytes->substr(0, bytes->rfind('\n') + 1));
  TargetCensus census(Json::array());
  for (std::string line; std::getline(lines, line);)
    if (const auto begin = line.find_first_not_of(" \t\r"); begin != std::string::npos && line[begin] != '#')
      census.add(line.substr(begin, line.find_first_of(" \t\r", begin) - begin));
  return census.look(all_seen);
}

const Input* input_of(const StageDraft& stage, std::string_view key) {
  const auto& inputs = stage.stage.inputs;
  const auto found =
      std::find_if(inputs.begin(), inputs.end(), [&](const Input& input) { return input.key == key; });
  return found == inputs.end() ? nullptr : &*found;
}

/// The name of a target that is a column; "" where there is none that is known now.
std::string target_column(const StageDraft& prepare) {
  const Json target = prepare.stage.config.value("target", Json());
  const Json column = target.is_object() ? target.value("column", Json()) : Json();
  if (!column.is_string() || column.get<std::string>().find("${{") != std::string::npos) return "";
  return column.get<std::string>();
}

TargetLook look_at_target(const Draft& draft, const StageDraft& prepare) {
  using Kind = TargetLook::Kind;
  const std::string column = target_column(prepare);
  if (column.empty()) return {};
  const std::string type = prepare.stage.config.at("target").value("type", "auto");
  if (type == "class") return {Kind::classes, true, 0, 0};
  if (type == "number") return {Kind::numbers, true, 0, 0};
  const Input* input = input_of(prepare, "input");
  if (type != "auto" || input == nullptr || input->path.empty()) return {};
  const std::string format = format_of(prepare.stage.config.value("format", "auto"), input->path);
  if (format == "libsvm" && column == "label") return census_of_labels(draft.files, input->path);
  const auto table = look_into(draft.files, input->path, prepare.stage.config);
  if (!table) return {};
  return census_of(*table, column, prepare.stage.config.value("missing", Json::array()));
}

/// What a model can learn; both where that is not known.
struct Learns {
  bool classes = true, numbers = true;
};

Learns what_learns(const std::string& model) {
  if (model == "linear_regression" || model == "linear_svr") return {false, true};
  if (model == "softmax" || model == "logistic" || model == "linear_svm" || model == "kernel_svm")
    return {true, false};
  return {};
}

/// The settings that name the model, and where they stand.
struct ModelChoice {
  std::string type;
  const Value* value = nullptr;
};

ModelChoice model_of(const StageDraft& stage) {
  const bool tune = stage.stage.kind == TaskKind::tune;
  const Field* field = stage.fields.find(tune ? "train" : "model");
  const Json config = tune ? stage.stage.config.value("train", Json()) : stage.stage.config;
  const Json model = config.is_object() ? config.value("model", Json()) : Json();
  if (field == nullptr || !model.is_object() || !model.value("type", Json()).is_string()) return {};
  return {model.at("type"), tune ? field->value->find("model") : field->value};
}

/// More clusters than a file has rows.
void check_clusters(const Draft& draft, const StageDraft& prepare, const StageDraft& stage,
                    const ModelChoice& model) {
  const bool tune = stage.stage.kind == TaskKind::tune;
  const Json config = tune ? stage.stage.config.value("train", Json()) : stage.stage.config;
  const Json k = config.value("model", Json()).value("k", Json());
  const Value* value = model.value == nullptr ? nullptr : model.value->find("k");
  const Input* input = input_of(prepare, "input");
  if (!k.is_number() || value == nullptr || input == nullptr || input->path.empty()) return;
  const auto table = look_into(draft.files, input->path, prepare.stage.config);
  if (!table || !table->all_seen) return;
  const auto lines = std::count(table->rows.begin(), table->rows.end(), '\n') +
                     (table->rows.empty() || table->rows.back() == '\n' ? 0 : 1);
  if (k.get<double>() > static_cast<double>(lines))
    draft.diagnostics.error(
        value->where,
        fmt::format("{} clusters cannot be made of the {} rows of '{}'", k.dump(), lines, prepare.stage.name),
        "choose a `k` that is at most the number of training rows");
}

/// Components are of all rows alike.
void check_weights(const Draft& draft, const StageDraft& prepare, const ModelChoice& model) {
  if (model.type != "pca" || model.value == nullptr || !prepare.stage.config.contains("sample_weight"))
    return;
  draft.diagnostics.error(
      model.value->where,
      fmt::format("a pca takes no weights of rows, and '{}' gives some", prepare.stage.name),
      fmt::format("leave 'sample_weight' out of '{}', or prepare the data once more without it",
                  prepare.stage.name));
}

void judge(const Draft& draft, const StageDraft& prepare, const TargetLook& target,
           const ModelChoice& model) {
  using Kind = TargetLook::Kind;
  if (target.kind == Kind::unknown || model.value == nullptr) return;
  const Learns learns = what_learns(model.type);
  const std::string column = target_column(prepare), &name = prepare.stage.name;
  if (target.kind == Kind::numbers && !learns.numbers)
    return draft.diagnostics.error(
        model.value->where,
        fmt::format("{} predicts classes, and the target '{}' of '{}' is a number", model.type, column, name),
        fmt::format("use linear_regression or mlp, or write in '{}': target: {{column: {}, type: class}}",
                    name, column));
  if (model.type == "logistic" && target.kind == Kind::classes && target.distinct > 2)
    return draft.diagnostics.error(
        model.value->where,
        fmt::format("logistic tells two classes apart, and the target '{}' of '{}' has {}{}", column, name,
                    target.all_seen ? "" : "at least ", target.distinct),
        "use softmax for more of them");
  if (target.kind == Kind::numbers || learns.classes) return;
  const std::string help = fmt::format(
      "are they amounts? Write in '{}': target: {{column: {}, type: number}}; for classes use softmax, "
      "linear_svm or mlp",
      name, column);
  if (target.kind == Kind::whole_numbers && !target.all_seen)
    return draft.diagnostics.warning(
        model.value->where,
        fmt::format("{} predicts numbers, and the target '{}' of '{}' begins with whole numbers alone: if "
                    "there are no others, each is taken for a class",
                    model.type, column, name),
        help);
  draft.diagnostics.error(
      model.value->where,
      target.kind == Kind::whole_numbers
          ? fmt::format("{} predicts numbers, and the target '{}' of '{}' has whole numbers alone, each of "
                        "which is taken for a class",
                        model.type, column, name)
          : fmt::format("{} predicts numbers, and the target '{}' of '{}' is a class", model.type, column,
                        name),
      target.kind == Kind::whole_numbers ? help : "use softmax, linear_svm or mlp");
}

/// As the task warns of it, but before anything runs.
void doubt(const Draft& draft, const StageDraft& prepare, const TargetLook& target) {
  constexpr std::size_t few = 20, many = 100, enough_rows = 10;
  const Field* field = prepare.fields.find("target");
  if (target.kind != TargetLook::Kind::whole_numbers || field == nullptr || target.distinct <= few) return;
  if (target.distinct <= many && (!target.all_seen || target.rows >= enough_rows * target.distinct)) return;
  const std::string column = target_column(prepare);
  draft.diagnostics.warning(
      field->value->where,
      fmt::format(
          "the target '{}' has {} different whole numbers in {}{} rows, and each is taken for a class",
          column, target.distinct, target.all_seen ? "" : "its first ", target.rows),
      fmt::format("are they amounts? target: {{column: {0}, type: number}}; if not, type: class says so",
                  column));
}

/// The preprocess stage whose dataset a stage learns from.
const StageDraft* prepared_for(const Draft& draft, const StageDraft& stage) {
  const Input* data = input_of(stage, "data");
  const StageDraft* prepare = data == nullptr || data->stage.empty() ? nullptr : draft.find(data->stage);
  return prepare != nullptr && prepare->kind_known && prepare->stage.kind == TaskKind::preprocess ? prepare
                                                                                                  : nullptr;
}

/// Early stopping looks at validation rows.
void check_held_out(const Draft& draft, const StageDraft& prepare, const StageDraft& stage) {
  const Field* field = stage.fields.find("optimizer");
  const Value* stopping = field == nullptr ? nullptr : field->value->find("early_stopping");
  if (stopping == nullptr || stopping->is_null()) return;
  const Json split = prepare.stage.config.value("split", Json());
  const Json share = split.is_object() ? split.value("validation", Json(0)) : Json(0);
  if (!share.is_number() || share.get<double>() > 0) return;  // else the task can tell
  draft.diagnostics.error(
      stopping->where,
      fmt::format("'early_stopping' needs validation rows, and '{}' keeps none", prepare.stage.name),
      fmt::format("write in '{}': split: {{validation: 0.1, test: 0.1}}", prepare.stage.name));
}

/// A file that a model is judged on has the column that the model predicts.
void check_judged_file(const Draft& draft, const StageDraft& stage) {
  const Input *input = input_of(stage, "input"), *model = input_of(stage, "model");
  const StageDraft* fit = model == nullptr || model->stage.empty() ? nullptr : draft.find(model->stage);
  const StageDraft* prepare = fit == nullptr ? nullptr : prepared_for(draft, *fit);
  if (input == nullptr || prepare == nullptr) return;
  if (const std::string type = model_of(*fit).type; without_target(type) != nullptr)
    return draft.diagnostics.error(input->where, fmt::format("a {} is judged on a dataset only", type),
                                   fmt::format("data: {}", prepare->stage.name));
  if (prepare->stage.config.value("series", Json()).is_object())
    return draft.diagnostics.error(
        input->where, "a model of a series is judged on a dataset only",
        fmt::format("give '{}' the longer series, and judge on its test rows: data: {}", prepare->stage.name,
                    prepare->stage.name));
  if (input->path.empty()) return;
  const std::string column = target_column(*prepare);
  const auto table = look_into(draft.files, input->path, stage.stage.config);
  if (column.empty() || !table ||
      std::find(table->names.begin(), table->names.end(), column) != table->names.end())
    return;
  draft.diagnostics.error(
      input->where,
      fmt::format("{} has no column '{}', the target of '{}'", input->path.substr(input->path.rfind('/') + 1),
                  column, prepare->stage.name),
      "what is predicted is compared with it; to predict without it: task: deploy");
}

}  // namespace

void check_targets(const Draft& draft) {
  std::unordered_map<const StageDraft*, TargetLook> looks;
  std::set<const StageDraft*> doubted;
  for (const StageDraft& stage : draft.stages) {
    if (!stage.kind_known) continue;
    if (stage.stage.kind == TaskKind::evaluate) check_judged_file(draft, stage);
    if (stage.stage.kind != TaskKind::train && stage.stage.kind != TaskKind::tune) continue;
    const StageDraft* prepare = prepared_for(draft, stage);
    if (prepare == nullptr) continue;
    const ModelChoice model = model_of(stage);
    if (without_target(model.type) != nullptr) {
      check_clusters(draft, *prepare, stage, model);
      check_weights(draft, *prepare, model);
      continue;
    }
    const auto [look, is_new] = looks.try_emplace(prepare);
    if (is_new) look->second = look_at_target(draft, *prepare);
    if (what_learns(model.type).classes && doubted.insert(prepare).second)
      doubt(draft, *prepare, look->second);
    judge(draft, *prepare, look->second, model);
    if (stage.stage.kind == TaskKind::train) check_held_out(draft, *prepare, stage);
  }
}

}  // namespace kernmill
