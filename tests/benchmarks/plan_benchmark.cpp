// One million instances, planned and driven in memory: under two seconds and 1 GB is what we promise.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"

namespace kernmill {
namespace {

Matrix::Axis axis(const char* name, int values) {
  Matrix::Axis result{name, {}};
  for (int v = 0; v < values; ++v) result.values.emplace_back(v);
  return result;
}

Stage command(const char* name, std::vector<std::string> needs, const Matrix& matrix) {
  Stage stage;
  stage.name = name;
  stage.needs = std::move(needs);
  stage.config = {{"run", "simulate"}};
  stage.env = {{"X", "${{ matrix.x }}"}};
  stage.matrix = matrix;
  return stage;
}

/// simulate[i] -> analyse[i] -> collect, i below side * side less a slice.
Workflow study(int side) {
  Matrix matrix{{axis("x", side), axis("y", side)}, {Json{{"x", 7}}}, {}};
  Workflow workflow;
  workflow.name = "study";
  workflow.stages = {command("simulate", {}, matrix), command("analyse", {"simulate"}, matrix),
                     command("collect", {"analyse"}, {})};
  return workflow;
}

void report(benchmark::State& state, const Plan& plan) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  state.counters["instances"] = static_cast<double>(plan.total_instances());
  state.counters["peak_rss_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

void plan_a_study(benchmark::State& state) {
  const Workflow workflow = study(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    const Plan plan(workflow);
    const Progress progress(plan, {});
    benchmark::DoNotOptimize(progress.count(State::ready));
  }
  report(state, Plan(workflow));
}
BENCHMARK(plan_a_study)->Arg(1000)->Unit(benchmark::kSecond);

void run_a_study_to_its_end(benchmark::State& state) {
  const Plan plan(study(static_cast<int>(state.range(0))));
  for (auto _ : state) {
    Progress progress(plan, {});
    while (const auto id = progress.take_ready()) progress.finished(*id);
    if (!progress.complete()) state.SkipWithError("the study has not come to its end");
  }
  report(state, plan);
}
BENCHMARK(run_a_study_to_its_end)->Arg(1000)->Unit(benchmark::kSecond);

void resume_a_study(benchmark::State& state) {
  const Plan plan(study(static_cast<int>(state.range(0))));
  for (auto _ : state) {
    Progress progress(plan, {});
    for (std::uint32_t i = 0; i < plan.instance_count(0); ++i) progress.restore({0, i}, State::finished);
    benchmark::DoNotOptimize(progress.count(State::ready));
  }
  report(state, plan);
}
BENCHMARK(resume_a_study)->Arg(1000)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace kernmill

BENCHMARK_MAIN();
