#include "kernmill/workflow/settings/settings.hpp"

// The settings of a workflow, of its defaults, and those that every stage has.

namespace kernmill {
namespace {

using T = SettingType;

const Range count{.low = 1, .high = 1'000'000};
const Range count_or_none{.low = 0, .high = 1'000'000};

Setting resources() {
  return {.name = "resources", .type = T::table, .doc = "what a job asks for", .table = &resource_settings()};
}
Setting env() {
  return {.name = "env",
          .type = T::text_map,
          .doc = "environment variables: texts, or where a secret comes from when the job runs",
          .table = &env_source_settings()};
}
Setting retries() {
  return {.name = "retries",
          .type = T::table,
          .doc = "when a failed instance is tried again, and how often",
          .aliases = {"max_retries"},
          .table = &retries_settings()};
}
Setting stall() {
  return {.name = "stall",
          .type = T::time,
          .doc =
              "an attempt that shows no output, metric, checkpoint or processor time for so long has failed, "
              "such as 10m; 0: never",
          .fallback = "0"};
}
Setting modules() {
  return {.name = "modules",
          .type = T::text_list,
          .doc = "environment modules to load",
          .aliases = {"envmodules", "module"},
          .one_line = true};
}
Setting setup() {
  return {.name = "setup", .type = T::text_list, .doc = "shell lines to run before"};
}
Setting container() {
  return {.name = "container", .type = T::text, .doc = "the container image to run in", .one_line = true};
}

Setting python() {
  return {.name = "python",
          .type = T::text,
          .doc = "the folder of a venv or of a conda environment, which is activated",
          .one_line = true};
}
Setting pass_env() {
  return {.name = "pass_env",
          .type = T::text_list,
          .doc =
              "variables of who starts the run that it gets: names, patterns such as WANDB_*, or `all` "
              "(on this machine)",
          .one_line = true};
}
Setting signal() {
  return {.name = "signal",
          .type = T::text,
          .doc = "what asks a command to stop, and how long before its time limit: USR1@120, TERM@5m",
          .fallback_doc = "`TERM`, a tenth of the time before: 20 s to 5 minutes",
          .one_line = true};
}

Setting storage() {
  return {.name = "storage",
          .type = T::table,
          .doc = "how the tasks read and write datasets and checkpoints; what is in them stays the same",
          .table = &storage_settings()};
}

Setting words(std::string name, std::string doc, std::vector<std::string> aliases = {}) {
  return {.name = std::move(name),
          .type = T::text,
          .doc = std::move(doc),
          .aliases = std::move(aliases),
          .one_line = true};
}

Setting gpu(std::string name, std::string doc) {
  return {.name = std::move(name), .type = T::gpus, .doc = std::move(doc)};
}

}  // namespace

const Table& resource_settings() {
  static const Table table{
      "'resources'",
      {{.name = "nodes", .type = T::nodes, .doc = "a number of nodes, or a range such as 2-8"},
       {.name = "ntasks",
        .type = T::integer,
        .doc = "MPI ranks (default 1, or `ntasks_per_node` on each of `nodes`)",
        .aliases = {"procs"},
        .range = count},
       {.name = "ntasks_per_node", .type = T::integer, .doc = "the most MPI ranks on a node", .range = count},
       {.name = "cpus_per_task",
        .type = T::integer,
        .doc = "cores for each rank (default 1); the products of networks, and BLAS, share them",
        .aliases = {"threads"},
        .range = count},
       gpu("gpus", "GPUs of the job: 2, or a100:2"),
       gpu("gpus_per_node", "GPUs on each node"),
       gpu("gpus_per_task", "GPUs for each rank"),
       {.name = "mem",
        .type = T::memory,
        .doc = "memory on each node: 16G; a bare number is megabytes",
        .aliases = {"memory", "mem_mb"}},
       {.name = "mem_per_cpu",
        .type = T::memory,
        .doc = "memory for each core",
        .aliases = {"mem_mb_per_cpu"}},
       {.name = "time",
        .type = T::time,
        .doc = "time limit: 90m, 2h, or Slurm's formats (1-02:00:00); a bare number is minutes",
        .aliases = {"walltime", "runtime"}},
       words("account", "the account that is charged", {"bank", "slurm_account"}),
       words("partition", "the partition to run in", {"queue", "slurm_partition"}),
       words("qos", "quality of service"),
       words("reservation", "a reservation to run in"),
       words("constraint", "features that the nodes need"),
       words("exclude", "nodes to avoid"),
       words("gres", "generic resources"),
       words("licenses", "licenses that the job needs"),
       {.name = "slurm_extra",
        .type = T::text_list,
        .doc = "further options of sbatch, passed on unchanged",
        .aliases = {"clusterOptions"},
        .one_line = true}}};
  return table;
}

const Table& retries_settings() {
  static const Table table{
      "'retries'",
      {{.name = "max",
        .type = T::integer,
        .doc = "how often an instance is tried again (default 0)",
        .range = {.low = 0, .high = 1000}},
       {.name = "on",
        .type = T::text_list,
        .doc = "the causes (default all but error)",
        .choices = {"oom", "timeout", "node_fail", "preempted", "stalled", "error"}},
       {.name = "mem", .type = T::factor, .doc = "after oom, memory times this: x2"},
       {.name = "time", .type = T::factor, .doc = "after timeout, the time limit times this: x1.5"}},
      "max"};
  return table;
}

const Table& bad_nodes_settings() {
  static const Table table{"'bad_nodes'",
                           {{.name = "for",
                             .type = T::time,
                             .doc = "how long a node is avoided after a failure; 0: not at all",
                             .fallback_doc = "`1h`"},
                            {.name = "keep",
                             .type = T::text,
                             .doc = "who avoids it: this run, or every run of this user",
                             .fallback_doc = "`run`",
                             .choices = {"run", "user"}}},
                           "for"};
  return table;
}

const Table& defaults_settings() {
  static const Table table{"'defaults'",
                           {resources(),
                            env(),
                            retries(),
                            stall(),
                            modules(),
                            setup(),
                            container(),
                            python(),
                            pass_env(),
                            signal(),
                            {.name = "bad_nodes",
                             .type = T::table,
                             .doc = "how nodes are avoided on which attempts have failed",
                             .table = &bad_nodes_settings()},
                            storage()}};
  return table;
}

const Table& stage_settings() {
  static const Table table{
      "a stage",
      {{.name = "task",
        .type = T::text,
        .doc = "the kind of task; a stage with `run` is a command",
        .choices = {"preprocess", "train", "evaluate", "tune", "deploy", "command"}},
       {.name = "needs",
        .type = T::text_list,
        .doc = "stages to wait for, besides those that it refers to; what they leave decides whether a "
               "command is cached",
        .aliases = {"depends", "depends_on"},
        .table = &need_settings()},
       {.name = "when", .type = T::expression, .doc = "the stage is skipped when this is false"},
       env(),
       {.name = "matrix",
        .type = T::matrix,
        .doc = "axis -> values, or {glob}, {range}, {csv}, {zip}, {from}: an instance for each combination, "
               "less `exclude`, plus `include`"},
       resources(),
       retries(),
       stall(),
       {.name = "max_parallel",
        .type = T::integer,
        .doc = "how many instances run at the same time at most",
        .aliases = {"array_parallelism", "throttle"},
        .range = count},
       {.name = "pack",
        .type = T::number_or_auto,
        .doc = "how many small instances share a job: a number or auto; 1: each has a job of its own",
        .fallback_doc = "`auto` of 1,000 instances and more of one core each, else `1`",
        .range = count},
       {.name = "max_fails",
        .type = T::integer,
        .doc = "how many instances may fail without failing the stage",
        .range = count_or_none},
       modules(),
       setup(),
       container(),
       python(),
       pass_env(),
       signal()}};
  return table;
}

const Table& need_settings() {
  static const Table table{"an item of 'needs'",
                           {{.name = "stage", .type = T::text, .doc = "its name", .required = true},
                            {.name = "order_only",
                             .type = T::boolean,
                             .doc = "true: the stage comes later, and reads nothing of it; what it leaves is "
                                    "no part of the cache key",
                             .fallback = false}},
                           "stage"};
  return table;
}

const Table& mail_table() {
  static const Table table{"'mail'",
                           {{.name = "to",
                             .type = T::text,
                             .doc = "the address, or a user's name",
                             .required = true,
                             .one_line = true},
                            {.name = "on",
                             .type = T::text,
                             .doc = "`end`: whatever the outcome; `failure`: when not all of it is done",
                             .fallback = "end",
                             .choices = {"end", "failure"}}},
                           "to"};
  return table;
}

const Table& env_source_settings() {
  static const Table table{
      "the source of a variable",
      {{.name = "from",
        .type = T::text,
        .doc = "`env`: the environment of whoever starts the run; `file`: a file that only you may use; the "
               "value is written nowhere",
        .required = true,
        .choices = {"env", "file"}},
       words("name", "the variable there, when it has another name"),
       words("path", "the file, relative to the workflow's; a line end at its end is left out")}};
  return table;
}

const Table& encryption_settings() {
  static const Table table{
      "'encryption'",
      {words("key_file", "a file with the key (32 bytes, or 64 hexadecimal digits), which only you may use"),
       words("key_env", "an environment variable that holds the 64 digits where the tasks run")}};
  return table;
}

const Table& workflow_settings() {
  static const Table table{
      "a workflow",
      {{.name = "name", .type = T::text, .doc = "the workflow's name", .fallback_doc = "the file's name"},
       {.name = "description", .type = T::text, .doc = "for people"},
       {.name = "include",
        .type = T::text_list,
        .doc = "files whose keys stand here as if they were written here; keys that begin with `x-` are "
               "ignored"},
       {.name = "params",
        .type = T::params,
        .doc = "parameters of the run: name -> default; `--set` overrides"},
       {.name = "defaults",
        .type = T::table,
        .doc = "what every stage has unless it says otherwise",
        .table = &defaults_settings()},
       {.name = "share",
        .type = T::text,
        .doc = "who may read the run directory",
        .fallback = "private",
        .choices = {"private", "group"}},
       {.name = "encryption",
        .type = T::table,
        .doc = "encrypts datasets, models and checkpoints with AES-256-GCM, not CSV and JSON; off without it",
        .table = &encryption_settings()},
       storage(),
       {.name = "snapshot",
        .type = T::text_list,
        .doc = "code to copy into the run directory when the run is made, and to start commands in: files "
               "and folders, or `git` (what git tracks, with its changes)"},
       words("on_success", "a shell command to run at the end, when everything is done"),
       words("on_failure", "a shell command to run at the end, when something has failed or was stopped"),
       {.name = "mail",
        .type = T::table,
        .doc = "whom Slurm sends mail when a submitted run has ended",
        .table = &mail_table()},
       {.name = "stages", .type = T::stages, .doc = "name -> stage", .required = true}}};
  return table;
}

}  // namespace kernmill
