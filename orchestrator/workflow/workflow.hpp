#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/workflow/resources.hpp"
#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

enum class TaskKind { preprocess, train, evaluate, tune, deploy, command };
std::string_view to_string(TaskKind kind);
std::optional<TaskKind> task_kind(std::string_view name);

/// When a failed instance is tried again, and how it is changed then.
struct Retries {
  int max = 0;
  std::vector<std::string> on{"oom", "timeout", "node_fail", "preempted", "stalled"};  ///< also "error"
  double mem_factor = 1.0;
  double time_factor = 1.0;
};

/// The instances of a stage: the cross product of the axes, less `exclude`, plus `include`.
/// Kept unexpanded: a million instances are a few axes.
struct Matrix {
  struct Axis {
    std::string name;
    std::vector<Json> values;
    std::vector<std::string> texts{};  ///< what numbers were written as (3.10), else ""; or empty as a whole
    bool zipped = false;               ///< it goes along with the axis before it, and has as many values
    [[nodiscard]] std::string text(std::size_t value) const { return texts.empty() ? "" : texts[value]; }
    friend bool operator==(const Axis&, const Axis&) = default;
  };
  std::vector<Axis> axes;
  std::vector<Json> exclude;  ///< objects; a combination that agrees with all keys of one is left out
  std::vector<Json> include;  ///< objects; each adds a combination of its own
  std::vector<Json>
      include_texts{};  ///< objects; of each of these, texts as those of an axis; may be shorter
  [[nodiscard]] Json include_text(std::size_t combination) const {
    return combination < include_texts.size() ? include_texts[combination] : Json::object();
  }
  /// All that is left of a matrix in the plan of one instance (plan/instance_plan.hpp): how many combinations
  /// there are, and what this one is.
  struct Cut {
    std::uint32_t size = 0;
    std::uint32_t group = 0;                ///< matrices of the same combinations have the same
    std::optional<std::uint32_t> number{};  ///< of the combination; nothing: none is known
    Json values = Json::object(), texts = Json::object();
  };
  std::optional<Cut> cut{};
  /// Axes whose values a stage leaves. They are among `axes`, without values until `decided`.
  struct Later {
    std::vector<std::string> axes;  ///< of a table: those of its columns that have these names; else one
    bool table = false;
    std::string stage, name;  ///< the stage, and the metric or artifact of it that holds the list
    friend bool operator==(const Later&, const Later&) = default;
  };
  std::vector<Later> later{};
  bool decided = false;   ///< what `later` names is known
  std::string problem{};  ///< why it cannot be used: one instance stands for all, and fails with this
  /// A file or a pattern that axes were read from when the workflow was, and what it was then.
  struct Source {
    std::string path, sha256;  ///< of a pattern: of the names
    friend bool operator==(const Source&, const Source&) = default;
  };
  std::vector<Source> sources{};
  [[nodiscard]] bool undecided() const { return !later.empty() && !decided; }
  [[nodiscard]] bool empty() const { return axes.empty() && include.empty() && later.empty() && !cut; }
};

/// Axes that vary together: those from `first` to before `end`, each with `size` values.
struct AxisGroup {
  std::size_t first = 0, end = 0, size = 0;
};
/// The groups that all axes fall into: what is crossed with each other.
std::vector<AxisGroup> axis_groups(const Matrix& matrix);

/// The environment variable that holds an axis's value in a command: KERNMILL_MATRIX_<AXIS>.
std::string matrix_variable(const std::string& axis);

/// What a stage reads: an artifact of another stage, or a file that was there before.
struct Input {
  std::string key;       ///< the setting that names it: "data", "model", "config", "input", or "inputs[2]"
  std::string stage;     ///< the stage that leaves it; empty for a file
  std::string artifact;  ///< "dataset", "model", "best", or a file that a command declared as output
  std::string path;      ///< absolute, for a file
  Where where;
  bool gathered = false;  ///< every instance of the stage: what each has left is in a manifest
};

struct Stage {
  std::string name;
  Where where;
  TaskKind kind = TaskKind::command;
  Json config = Json::object();     ///< the settings of its kind: names canonical, defaults filled in, params
                                    ///< evaluated; strings may hold ${{ matrix.* }} and ${{ stages.* }}
  Json resources = Json::object();  ///< canonical names, defaults merged; strings may hold ${{ matrix.* }}
  std::map<std::string, Where> resource_where;  ///< of each resource's value: in the workflow, a profile or
                                                ///< the site file; not kept in plan.json
  Json env = Json::object();  ///< name -> string; may hold ${{ matrix.* }} and ${{ stages.* }}
  std::string when;           ///< a `${{ }}` template, or empty: always
  std::vector<Input> inputs;
  bool inputs_declared = false;  ///< `inputs:` was written, perhaps as []: a command that may be cached
  std::vector<std::string>
      needs;  ///< every stage it waits for (inputs, expressions, needs:), once each, in file order
  std::vector<std::string> order_only;  ///< those of `needs` whose results it does not depend on
  Matrix matrix;
  Retries retries;
  int max_parallel = 0;           ///< 0: no bound of its own
  int pack = 1;                   ///< instances that share a job; 0: as many as seem good
  int max_fails = 0;              ///< how many instances may fail without failing the stage
  std::chrono::seconds stall{0};  ///< without a sign of life for so long, an attempt has failed; 0: never
  std::vector<std::string> modules, setup;
  std::string container;
  std::string python;                   ///< absolute: the venv or conda prefix that is activated; or empty
  std::vector<std::string> pass_env;    ///< variables of who starts the run that it gets, by name or pattern
  std::string signal;                   ///< that asks it to stop: "USR1"; empty: as its kind has it
  std::chrono::seconds signal_lead{0};  ///< how long before its limit; 0: as the limit has it
};

/// Whether it waits for that stage, and its results do not depend on it.
bool is_order_only(const Stage& stage, std::string_view parent);

/// The code that a run starts with is copied into its directory.
struct Snapshot {
  bool git = false;                ///< what git tracks, with its changes
  std::vector<std::string> paths;  ///< files and folders, relative to the workflow's
  Where where;                     ///< of what the workflow says of it
  std::string root;       ///< absolute: the folder that its files are relative to; of git, the repository's
  std::string commit;     ///< of git; empty: none yet
  bool dirty = false;     ///< tracked files differ from that commit
  std::string digest;     ///< of names and contents; empty: nobody has looked yet
  std::string directory;  ///< absolute: where the copy has the workflow's folder; empty: there is none
  std::string copy;       ///< absolute: the copy of `root`
  [[nodiscard]] bool on() const { return git || !paths.empty(); }
};

/// Where the tasks find the key that they encrypt with: one of the two, or neither. Never the key itself.
struct Encryption {
  std::string key_file;  ///< absolute
  std::string key_env;   ///< the name of an environment variable
  [[nodiscard]] bool on() const { return !key_file.empty() || !key_env.empty(); }
};

/// How the tasks read and write datasets and checkpoints.
struct StorageSettings {
  std::string transport = "auto";  ///< or "posix", "mpiio"
  Json hints = Json::object();     ///< name -> string, for MPI-IO
  friend bool operator==(const StorageSettings&, const StorageSettings&) = default;
};

/// For how long, and for whom, a node is avoided after attempts have failed because of it.
struct BadNodes {
  std::chrono::seconds avoid_for{3600};  ///< 0: none is
  bool per_user = false;                 ///< in every run of the user, not in this one alone
  friend bool operator==(const BadNodes&, const BadNodes&) = default;
};

/// A whole workflow, checked: names are unique, references resolve, the graph has no cycle.
struct Workflow {
  std::string name;
  std::string file;                  ///< as given by the user
  std::string base_directory;        ///< absolute; relative paths in the workflow start here
  std::string text;                  ///< the file's bytes, kept for the run directory
  std::vector<SourceFile> included;  ///< likewise, of the files that it includes
  std::vector<std::string> set;      ///< what `--set` gave, in order
  std::string profile;               ///< the name of the profile; or empty
  Json params = Json::object();
  bool share_group = false;
  Encryption encryption;
  StorageSettings storage;
  Snapshot snapshot;
  BadNodes bad_nodes;
  std::string on_success, on_failure;  ///< shell commands for the end of a run; may be empty
  std::string mail_to;                 ///< who is told of the end of a submitted run; may be empty
  bool mail_of_failure_only = false;
  std::vector<Stage> stages;  ///< in the order of the file
  [[nodiscard]] const Stage* find(std::string_view stage) const;
  /// Where commands start.
  [[nodiscard]] const std::string& command_directory() const {
    return snapshot.directory.empty() ? base_directory : snapshot.directory;
  }
};

/// `{}`, `{"key_file": PATH}` or `{"key_env": NAME}`.
Json to_json(const Encryption& encryption);

/// `{}` where nothing is asked for.
Json to_json(const StorageSettings& storage);

/// Everything but `text` and `included`; `workflow_from_json(to_json(w))` gives `w` back.
Json to_json(const Workflow& workflow);
Workflow workflow_from_json(const Json& json);

}  // namespace kernmill
