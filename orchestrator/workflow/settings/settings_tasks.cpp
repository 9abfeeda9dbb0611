#include "kernmill/workflow/settings/settings.hpp"

// The settings of the task kinds. tasks/ reads what comes out of these tables from spec.json.

namespace kernmill {
namespace {

using T = SettingType;

const Table& train() {
  static const Table table = [] {
    Table t{"a train stage", learning_settings(false)};
    t.settings.insert(t.settings.begin(),
                      {{.name = "data",
                        .type = T::reference,
                        .doc = "the dataset to learn from",
                        .required = true,
                        .artifact = "dataset"},
                       {.name = "config",
                        .type = T::reference,
                        .doc = "a tune stage whose best configuration is taken; keys beside it override",
                        .artifact = "best"},
                       {.name = "start_from",
                        .type = T::reference,
                        .doc = "a model of the same kind, shape, features and target, whose weights training "
                               "starts from",
                        .artifact = "model"}});
    return t;
  }();
  return table;
}

const Table& validation_table() {
  static const Table table{"'validation'",
                           {{.name = "folds",
                             .type = T::integer,
                             .doc = "cross-validation: fold k is the training rows with i % folds == k",
                             .range = {.low = 2}},
                            {.name = "split",
                             .type = T::text,
                             .doc = "judge on the rows that the preprocess stage kept for validation",
                             .choices = {"validation"}}}};
  return table;
}

const Table& tune() {
  static const Table table{
      "a tune stage",
      {{.name = "data",
        .type = T::reference,
        .doc = "the dataset to learn from",
        .required = true,
        .artifact = "dataset"},
       {.name = "train",
        .type = T::table,
        .doc = "what a trial trains, as in a train stage; with `run` in its place, a trial runs a command",
        .required = true,
        .table = &trial_settings()},
       {.name = "space",
        .type = T::space,
        .doc = "dotted name of a setting of `train` -> what it may be: a list, or one of choice, uniform, "
               "log_uniform, int_uniform (with points for a grid)",
        .required = true},
       {.name = "strategy",
        .type = T::variant,
        .doc = "how the space is searched",
        .fallback = Json::object(),
        .variant = &strategy_variant()},
       {.name = "objective",
        .type = T::table,
        .doc = "what trials are compared by",
        .required = true,
        .table = &objective_settings()}}};
  return table;
}

const Table& output_settings() {
  static const Table table{
      "an output",
      {{.name = "path", .type = T::text, .doc = "the file, folder or pattern", .required = true},
       {.name = "temp",
        .type = T::boolean,
        .doc = "it is removed when every stage that waits for this one has committed or was skipped",
        .fallback = false}},
      "path"};
  return table;
}

/// `run`, `restart`, `inputs` and `outputs` of whatever runs a command.
std::vector<Setting> command_settings() {
  return {{.name = "run",
           .type = T::text,
           .doc = "the shell command; it runs in the workflow file's directory",
           .required = true,
           .aliases = {"cmd", "script"}},
          {.name = "restart",
           .type = T::text,
           .doc = "the command of a resumed attempt; empty: `run` again",
           .fallback = ""},
          {.name = "inputs",
           .type = T::references,
           .doc = "what the command reads: files, folders (src/), patterns (part-*.csv) and "
                  "stage.artifact; a stage with a matrix of its own is gathered",
           .artifact = "any"},
          {.name = "outputs",
           .type = T::text_list,
           .doc = "what the command leaves in $KERNMILL_OUTPUT: files, folders (model/) and "
                  "patterns (*.png); with `inputs` given, too, its result is cached",
           .fallback = Json::array(),
           .table = &output_settings()}};
}

const Table& command() {
  static const Table table{"a command", command_settings()};
  return table;
}

const Table& command_objective() {
  static const Table table{"'objective'",
                           {{.name = "metric",
                             .type = T::text,
                             .doc = "the metric to compare, of those that the command writes to "
                                    "$KERNMILL_METRICS",
                             .required = true},
                            {.name = "goal",
                             .type = T::text,
                             .doc = "whether a large or a small value is better",
                             .required = true,
                             .choices = {"minimize", "maximize", "min", "max"}}}};
  return table;
}

}  // namespace

const Table& trial_settings() {
  static const Table table{"'train'", learning_settings(true)};
  return table;
}

const Table& command_search_settings() {
  static const Table table = [] {
    Table t{"a tune stage with a command", command_settings()};
    t.settings.push_back({.name = "space",
                          .type = T::space,
                          .doc = "name -> what it may be: a list, or one of choice, uniform, log_uniform, "
                                 "int_uniform (with points for a grid); a trial has its value as "
                                 "`${{ point.NAME }}` and as $KERNMILL_POINT_NAME",
                          .required = true});
    t.settings.push_back({.name = "strategy",
                          .type = T::variant,
                          .doc = "how the space is searched",
                          .fallback = Json::object(),
                          .variant = &strategy_variant()});
    t.settings.push_back({.name = "objective",
                          .type = T::table,
                          .doc = "what trials are compared by",
                          .required = true,
                          .table = &command_objective()});
    return t;
  }();
  return table;
}

const Table& objective_settings() {
  static const Table table{
      "'objective'",
      {{.name = "metric",
        .type = T::text,
        .doc = "the metric to compare",
        .required = true,
        .choices = {"accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "rmse", "mae", "r2",
                    "inertia", "inertia_per_row", "silhouette", "adjusted_rand",
                    "normalized_mutual_information", "reconstruction_error", "explained_variance"}},
       {.name = "goal",
        .type = T::text,
        .doc = "whether a large or a small value is better",
        .fallback_doc = "minimize for log_loss, rmse, mae, inertia and reconstruction_error, else maximize",
        .choices = {"maximize", "minimize"}},
       {.name = "validation",
        .type = T::table,
        .doc = "the rows that a trial is judged on",
        .fallback_doc = "{folds: 5}",
        .table = &validation_table()}}};
  return table;
}

const Variant& strategy_variant() {
  static const Variant variant{"'strategy'",
                               {{"grid", "every combination", {"a grid search", {}}},
                                {"random",
                                 "drawn at random",
                                 {"a random search",
                                  {{.name = "trials",
                                    .type = T::integer,
                                    .doc = "how many trials are drawn",
                                    .fallback = 20,
                                    .range = {.low = 1, .high = 10'000'000}},
                                   seed_setting()}},
                                 {"trials", "seed"}}},
                               "grid"};
  return variant;
}

const Table& task_settings(TaskKind kind) {
  switch (kind) {
    case TaskKind::preprocess:
      return preprocess_settings();
    case TaskKind::train:
      return train();
    case TaskKind::evaluate:
      return evaluate_settings();
    case TaskKind::tune:
      return tune();
    case TaskKind::deploy:
      return deploy_settings();
    default:
      return command();
  }
}

}  // namespace kernmill
