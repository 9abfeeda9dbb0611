// The example workflows that follow other systems' own examples, as a user runs them on one machine.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

class Ported : public ::testing::Test {
 protected:
  Ported() { fs::copy(fs::path(EXAMPLES) / "programs", folder_.path() / "programs"); }

  /// Runs an example to its end. Returns what its journal holds.
  RunRecord run(const std::string& name, const std::vector<std::string>& options = {}) {
    const fs::path file = folder_.path() / (name + ".yaml");
    if (!fs::exists(file)) fs::copy(fs::path(EXAMPLES) / (name + ".yaml"), file);
    std::vector<std::string> words{KERNMILL, "run", file.filename().string(), "--quiet"};
    words.insert(words.end(), options.begin(), options.end());
    const Finished finished =
        run_program({words, folder_.path(), {{"KERNMILL_RUNS", ""}, {"KERNMILL_EXEC", KERNMILL_EXEC}}});
    EXPECT_EQ(finished.exit_code, 0) << name << ": " << finished.err;
    return fold_journal(select_run(folder_.path() / "runs", "last").journal());
  }
  [[nodiscard]] fs::path last_run() const { return select_run(folder_.path() / "runs", "last").root(); }

 private:
  TemporaryDirectory folder_;
};

const Json& metric(const RunRecord& record, const std::string& stage, const char* name, unsigned index = 0) {
  return record.find(stage, index)->metrics.at(name);
}

// The README's first workflow. Gradient descent takes (x - 3) to (1 - 2 rate)^100 of itself; with seed 0 it
// begins at 0.68884.
TEST_F(Ported, SweepOfAScriptHasATableOfAllPoints) {
  const RunRecord record = run("sweep");
  EXPECT_NEAR(metric(record, "train", "loss", 0).get<double>(),
              std::pow((0.68884 - 3) * std::pow(1 - 2 * 0.001, 100), 2), 1e-3);
  const std::string table = read_file(last_run() / "stages/table/0/attempt-1/out.log");
  EXPECT_TRUE(table.starts_with("instance,lr,seed,loss\n0,0.001,0,3.57")) << table;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 13);
}

TEST_F(Ported, HelloByeSaysHelloAndByeToEverybody) {
  EXPECT_EQ(metric(run("hello_bye"), "guests", "lines"), 8);
}

// 9592 primes lie below 100,000, and 99991 is the largest.
TEST_F(Ported, MapAndReduceCountsThePrimes) {
  const RunRecord record = run("map_and_reduce");
  EXPECT_EQ(metric(record, "count", "primes", 0), 2262);
  EXPECT_EQ(metric(record, "total", "primes"), 9592);
  EXPECT_EQ(metric(record, "total", "largest"), 99991);
}

// A method of first order has the order 1/2 at a contact, and 2/3 to 1 elsewhere; mass stays what it was.
TEST_F(Ported, HydroStudyConvergesToTheExactSolution) {
  const RunRecord record = run("hydro_study");
  for (unsigned i = 0; i < 8; ++i)
    EXPECT_NEAR(metric(record, "simulate", "mass", i).get<double>(), 0.5625, 1e-12) << i;
  EXPECT_LT(metric(record, "simulate", "l1_error", 7).get<double>(), 0.0066);
  for (const char* order : {"order_hll", "order_rusanov"}) {
    EXPECT_GT(metric(record, "convergence", order).get<double>(), 0.5) << order;
    EXPECT_LT(metric(record, "convergence", order).get<double>(), 1.0) << order;
  }
}

TEST_F(Ported, VariantCallingFindsTheVariantsThatWerePlanted) {
  const RunRecord record = run("variant_calling");
  EXPECT_EQ(metric(record, "report", "true_variants"), 36);
  EXPECT_EQ(metric(record, "report", "precision"), 1.0);
  EXPECT_EQ(metric(record, "report", "recall"), 1.0);
}

// 25 epochs of 0.2 seconds do not fit into three seconds, on any machine.
TEST_F(Ported, PreemptibleTrainingIsTheSameOverSeveralTimeLimits) {
  const std::vector<std::string> options{"--no-cache", "--set", "epochs=25"};
  const RunRecord whole = run("preemptible_training", options);
  auto limited = options;
  limited.insert(limited.end(), {"--set", "seconds_an_epoch=0.2", "--set", "time=3s"});
  const RunRecord parts = run("preemptible_training", limited);
  EXPECT_EQ(metric(whole, "train", "starts"), 1);
  EXPECT_GT(metric(parts, "train", "starts"), 1);
  EXPECT_EQ(metric(parts, "train", "loss"), metric(whole, "train", "loss"));
  const auto& attempts = parts.find("train", 0)->attempts;
  ASSERT_GT(attempts.size(), 1U);
  EXPECT_EQ(attempts.front().cause, Cause::timeout);
}

}  // namespace
}  // namespace kernmill::testing
