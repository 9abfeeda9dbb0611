#include "pack_world.hpp"

#include <cstdio>

#include <unistd.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

Plan make_plan(const fs::path& place, const std::string& pipe, Stage stage, std::uint32_t instances) {
  Matrix::Axis axis{"i", {}};
  for (std::uint32_t i = 0; i < instances; ++i) axis.values.emplace_back(i);
  stage.matrix.axes = {axis};
  for (auto& [key, value] : stage.config.items())
    if (value == "PIPE") value = pipe;  // fake_task knows no environment
  stage.env["PIPE"] = pipe;
  stage.env["PLACE"] = place.string();
  Workflow workflow;
  workflow.name = "test";
  workflow.base_directory = place.string();
  workflow.stages = {std::move(stage)};
  return Plan(std::move(workflow));
}

}  // namespace

PackWorld::PackWorld(Stage stage, std::uint32_t instances, std::uint32_t slots)
    : pipe_(directory_.path() / "pipe"),
      plan_(make_plan(directory_.path(), pipe_.path(), std::move(stage), instances)),
      run_(create_run_directory(directory_.path() / "runs", "test", false)) {
  array.key = "s.0";
  array.instances = IndexRanges(0, instances - 1);
  array.pack = instances;
  array.slots = slots;
  array.resources.cpus_per_task = static_cast<int>(slots);
}

Stage PackWorld::command(const std::string& run) {
  Stage stage;
  stage.name = "s";
  stage.kind = TaskKind::command;
  stage.config = {{"run", run}};
  return stage;
}

int PackWorld::start(unsigned restart, const Hook& hook) {
  const int child = ::fork();
  if (child != 0) return child;
  int status = 99;
  try {
    exec::StopRequests stop;
    JournalWriter journal(run_.journal(), "7_0", restart, "exec", hook);
    exec::PackOptions options{run_, plan_, array};
    options.instances =
        exec::left_to_run(plan_, array, 0, array.attempt + restart, fold_journal(run_.journal()));
    options.job = "7_0";
    options.restart = restart;
    options.attempt = is_local ? 0 : array.attempt + restart;
    options.flush_interval = flush_interval;
    options.token = run_.name();
    options.mem = mem;
    options.admit = admit;
    options.stop_grace = stop_grace;
    status = exec::run_pack(options, CommitTable(plan_), journal, stop);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "run_pack: %s\n", error.what());
  }
  ::_exit(status);
}

int PackWorld::carry_out(unsigned restart, const Hook& hook) {
  return reap(start(restart, hook));
}

std::vector<Record> PackWorld::records() const {
  std::vector<Record> all;
  for (unsigned restart = 0; restart < 3; ++restart) {
    const fs::path file =
        run_.journal() / ("7_0." + std::to_string(restart) + "." + host_name() + ".exec.jsonl");
    if (!fs::exists(file)) continue;
    for (Record& record : read_journal_file(file)) all.push_back(std::move(record));
  }
  return all;
}

InstanceRecord PackWorld::instance(unsigned index) const {
  const RunRecord record = fold_journal(run_.journal());
  const InstanceRecord* found = record.find("s", index);
  return found == nullptr ? InstanceRecord{} : *found;
}

std::vector<std::string> PackWorld::events(unsigned index) const {
  std::vector<std::string> names;
  for (const Record& record : records())
    if (record.body.at("instance") == index) names.push_back(record.event);
  return names;
}

std::size_t PackWorld::committed() const {
  std::size_t count = 0;
  const RunRecord record = fold_journal(run_.journal());
  for (const auto& [key, instance] : record.instances) count += instance.committed ? 1 : 0;
  return count;
}

fs::path PackWorld::attempt(unsigned index, unsigned number) const {
  return run_.attempt("s", index, number);
}

std::size_t PackWorld::files() const {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::recursive_directory_iterator(run_.root() / "stages")) ++count;
  return count;
}

std::string PackWorld::text(const std::string& file) const {
  return read_file(directory_.path() / file);
}

}  // namespace kernmill::testing
