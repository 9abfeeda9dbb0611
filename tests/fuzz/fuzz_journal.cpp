#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernmill/run/journal/commit_table.hpp"
#include "kernmill/run/journal/fold.hpp"
#include "kernmill/run/journal/replay.hpp"

using namespace kernmill;

namespace {

/// top -> many x10
const Plan& the_plan() {
  static const Plan plan = [] {
    Workflow workflow;
    Stage top, many;
    top.name = "top";
    many.name = "many";
    many.needs = {"top"};
    many.matrix.axes.push_back({"i", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}});
    many.when = "${{ stages.top.x > 0 }}";
    workflow.stages = {top, many};
    return Plan(std::move(workflow));
  }();
  return plan;
}

void look_at(const RunRecord& record) {
  const CommitTable commits = commits_in(the_plan(), record);
  try {
    when_is_true(the_plan(), {1, 0}, commits);
  } catch (const ExpressionError&) {
  }
  Replay(the_plan(), record, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string lines(reinterpret_cast<const char*>(data), size);
  try {
    Fold fold(Fold::Keeping::to_look);
    for_each_line(lines, "journal.jsonl", [&](const JournalLine& line) { fold.take(line); });
    fold.state().plain.finish();
    for (const char* stage : {"top", "many"})
      for (const PlainCommit& row : fold.state().plain.rows(stage)) fold.state().plain.record(row);
    look_at(fold.finish());
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).find("here: [json.exception") != std::string_view::npos)
      __builtin_trap();
  }
  return 0;
}
