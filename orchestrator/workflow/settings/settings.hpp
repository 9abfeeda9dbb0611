#pragma once
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// What a setting takes.
enum class SettingType {
  boolean,
  integer,
  real,
  text,
  text_list,     ///< or one text; an item may be a map with the settings of `table`, if there is one
  integer_list,  ///< or one integer
  real_list,     ///< or one number
  text_map,      ///< name -> scalar, kept as text, or a map with the settings of `table`
  hints,         ///< name -> scalar, kept as text: hints for MPI-IO
  table_map,     ///< name -> a map with the settings of `table`
  table,         ///< a map with settings of its own
  variant,       ///< a map whose `type` says which settings it has
  reference,     ///< a stage, stage.artifact, or a file
  references,    ///< a list of them
  time,
  memory,
  nodes,
  gpus,
  factor,
  number_or_auto,  ///< a whole number, or the word auto
  period,          ///< a time; the config has it in seconds: "600s"
  interval,        ///< a whole number of steps, a period, or the word auto
  expression,
  params,
  matrix,
  space,
  stages,
};

/// Bounds of a number; open ones are not reached themselves.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;
};

/// Bounds that many settings have.
inline constexpr Range positive{.low = 0, .low_open = true};
inline constexpr Range not_negative{.low = 0};
inline constexpr Range at_least_one{.low = 1};
inline constexpr Range fraction{.low = 0, .high = 1, .high_open = true};

struct Table;
struct Variant;

/// One key of the workflow language. The parser's checks, the JSON schema and the key reference all come from
/// these.
struct Setting {
  std::string name;
  SettingType type = SettingType::text;
  std::string doc;
  std::optional<Json> fallback{};  ///< filled in when the key is absent; none: the key stays absent
  std::string fallback_doc{};      ///< in words, where the default depends on other settings
  bool required = false;
  std::vector<std::string> aliases{};
  std::vector<std::string>
      choices{};  ///< of a text, or of the items of a text_list; words beside the numbers of a real
  Range range{};  ///< of a number, or of the items of a list
  const Table* table = nullptr;      ///< of a table, or of each map in a table_map, text_map, text_list
  const Variant* variant = nullptr;  ///< of a variant
  std::string artifact{};            ///< of a reference: what it has to be: dataset, model, best, csv, or any
  bool transient = false;            ///< checked, and not kept in the config
  bool one_line =
      false;  ///< of a text: no control characters, since it becomes part of an option or a command line
};

/// Settings that stand in one map.
struct Table {
  std::string name;  ///< "a train stage", "`target`": how messages call it
  std::vector<Setting> settings;
  std::string shorthand{};  ///< the setting that a plain value instead of the map stands for
  [[nodiscard]] const Setting* find(std::string_view name_or_alias) const;
};

/// A map that comes in several kinds.
struct Variant {
  struct Alternative {
    std::string type;
    std::string doc;
    Table table;
    std::vector<std::string> markers{};  ///< keys that tell this kind where `type` is left out
  };
  std::string name;
  std::vector<Alternative> alternatives;
  std::string default_type{};  ///< when neither `type` nor a marker tells; empty: `type` is required then
  [[nodiscard]] const Alternative* find(std::string_view type) const;
};

/// The settings of a kind of task, without those that every stage has.
const Table& task_settings(TaskKind kind);
/// Those of a tune stage whose trials run a command.
const Table& command_search_settings();
const Table& preprocess_settings();
/// What a preprocess stage reads, and how.
std::vector<Setting> input_settings();
const Table& deploy_settings();
const Table& evaluate_settings();
/// `seed:`, which several kinds have.
Setting seed_setting();
/// What a train stage, and a trial of a tune stage, say of model, optimizer, seed and checkpoints.
std::vector<Setting> learning_settings(bool model_required);
/// The settings that every stage has.
const Table& stage_settings();
/// The keys of `resources:`, which may also stand on the stage itself.
const Table& resource_settings();
/// An item of `needs` that says more than a name.
const Table& need_settings();
const Table& retries_settings();
const Table& bad_nodes_settings();
const Table& defaults_settings();
/// Where a variable in `env` comes from: `{from: env}`.
const Table& env_source_settings();
const Table& encryption_settings();
const Table& storage_settings();
const Table& workflow_settings();
/// The settings of `train:` in a tune stage: those of a train stage that a trial may vary.
const Table& trial_settings();
const Table& objective_settings();
const Variant& strategy_variant();

/// A model that looks at no target. It has no optimizer, and metrics of its own.
struct WithoutTarget {
  std::string type;
  std::vector<std::string> train_metrics;  ///< beside `rows`
  std::vector<std::string> metrics;        ///< of an evaluate stage beside `rows`, and to search by
};
/// Null for a type that learns a target, or that nobody knows.
const WithoutTarget* without_target(std::string_view model);
/// Whether a metric is better the smaller it is.
bool is_loss(std::string_view metric);

/// The artifacts that a stage of this kind leaves, its main one first; empty for a command.
const std::vector<std::string>& artifacts_of(TaskKind kind);
/// The metrics that a stage of this kind reports. A name that ends in `*` is a beginning. Empty for a
/// command: it reports what it likes.
const std::vector<std::string>& metrics_of(TaskKind kind);

}  // namespace kernmill
