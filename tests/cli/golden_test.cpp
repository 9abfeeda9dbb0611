// What kernmill prints, compared with files in golden/. KERNMILL_ACCEPT=1 writes them anew.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>

#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "program.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

std::string replaced(std::string text, const std::string& pattern, const std::string& by) {
  return std::regex_replace(text, std::regex(pattern), by);
}

/// Without what differs from run to run: folders, names of runs, times, and the blanks that depend on them.
std::string normalised(std::string text, const fs::path& folder) {
  for (std::size_t at; (at = text.find(folder.string())) != std::string::npos;)
    text.replace(at, folder.string().size(), "<FOLDER>");
  text = replaced(text, "-[0-9]{8}-[0-9]{6}-[0-9a-f]{4}", "-<RUN>");
  text = replaced(text, "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}", "<TIME>");
  text = replaced(text, "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "<TIME>");
  text = replaced(text, " *\\b[0-9]+\\.[0-9]+ s\\b", " <DURATION>");
  text = replaced(text, "\\b[0-9.]+ KiB\\b", "<SIZE>");  // holds the length of the folder's name
  text = replaced(text, "cmake [^\n]* --target kernmill_slurm", "<BUILD>");
  text = replaced(text, "\n +?where BUILD is [^\n]*", "");
  text = replaced(text, "\"seconds\": [0-9.e-]+", "\"seconds\": <SECONDS>");
  text = replaced(text, "\"peak_memory\": [0-9]+", "\"peak_memory\": <BYTES>");
  text =
      replaced(text, "(finished([ ,])+[0-9]+[ ,]+)[0-9.]+([ ,]+)[0-9.]+( [KMG]iB)?", "$1<SECONDS>$3<BYTES>");
  text = replaced(text, "\\b[0-9.]+ [MG]iB\\b", "<SIZE>");
  text = replaced(text, "<SECONDS> +<BYTES>", "<SECONDS>  <BYTES>");
  return text;
}

std::string content(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Runs kernmill in a folder that has the test workflows.
class Golden : public ::testing::Test {
 protected:
  Golden() {
    for (const auto& file : fs::directory_iterator(WORKFLOWS)) fs::copy(file.path(), folder.path());
  }

  Finished kernmill(std::vector<std::string> words) {
    words.insert(words.begin(), KERNMILL);
    return run_program({std::move(words),
                        folder.path(),
                        {{"KERNMILL_RUNS", ""},
                         {"XDG_STATE_HOME", folder.path() / "state"},
                         {"KERNMILL_EXEC", KERNMILL_EXEC},
                         {"KERNMILL_TASK", "/nowhere/kernmill-task"},
                         {"KERNMILL_SLURM_PLUGIN", "/nowhere/kernmill_slurm.so"},
                         {"KERNMILL_SITE", "/nowhere/site.yaml"}}});
  }

  /// Runs kernmill and compares exit status, stdout and stderr with golden/NAME.txt.
  void expect(const std::string& name, const std::vector<std::string>& words) {
    const Finished finished = kernmill(words);
    std::string shown = "$ kernmill";
    for (const std::string& word : words) shown += " " + word;
    shown += "\nexit status " + std::to_string(finished.exit_code) + "\n--- stdout\n" + finished.out +
             "--- stderr\n" + finished.err;
    shown = normalised(std::move(shown), folder.path());
    const fs::path file = fs::path(GOLDEN) / (name + ".txt");
    const char* accept = std::getenv("KERNMILL_ACCEPT");
    if (accept != nullptr && std::string(accept) == "1") std::ofstream(file) << shown;
    EXPECT_EQ(shown, content(file)) << "KERNMILL_ACCEPT=1 makes this the expected text";
  }

  TemporaryDirectory folder;
};

TEST_F(Golden, Help) {
  expect("help", {"--help"});
}
TEST_F(Golden, HelpOfEveryCommand) {
  for (const std::string command :
       {"validate", "plan", "run", "submit", "resume", "status", "logs", "results", "explain", "cancel",
        "clean", "audit", "doctor", "version", "data", "model"})
    expect("help_" + command, {command, "--help"});
}
TEST_F(Golden, UnknownCommandIsGivenASuggestion) {
  expect("unknown_command", {"satus"});
}
TEST_F(Golden, UnknownOptionIsGivenASuggestion) {
  expect("unknown_option", {"run", "diamond.yaml", "--cors", "2"});
}
TEST_F(Golden, MissingWorkflow) {
  expect("missing_word", {"run"});
}
TEST_F(Golden, MissingWorkflowFile) {
  expect("missing_file", {"validate", "nowhere.yaml"});
}
TEST_F(Golden, SchedulerThatIsNotInstalled) {
  expect("no_slurm", {"run", "diamond.yaml", "--scheduler", "slurm"});
}
TEST_F(Golden, NoRunsYet) {
  expect("no_runs", {"status", "--runs", "runs"});
}

TEST_F(Golden, ValidWorkflow) {
  expect("validate", {"validate", "diamond.yaml"});
}
TEST_F(Golden, ValidWorkflowAsJson) {
  expect("validate_json", {"validate", "diamond.yaml", "--json"});
}
TEST_F(Golden, InvalidWorkflow) {
  expect("validate_invalid", {"validate", "invalid.yaml"});
}
TEST_F(Golden, InvalidWorkflowAsJson) {
  expect("validate_invalid_json", {"validate", "invalid.yaml", "--json"});
}
TEST_F(Golden, InvalidWorkflowIsNotRun) {
  expect("run_invalid", {"run", "invalid.yaml"});
  EXPECT_FALSE(fs::exists(folder.path() / "runs"));
}

TEST_F(Golden, Plan) {
  expect("plan", {"plan", "diamond.yaml"});
}
TEST_F(Golden, PlanWhereNoClusterAnswers) {
  expect("plan_no_cluster", {"plan", "diamond.yaml", "--scheduler", "slurm"});
}
TEST_F(Golden, PlanAsJson) {
  expect("plan_json", {"plan", "diamond.yaml", "--json"});
}
TEST_F(Golden, PlanOfALargeStageShowsASample) {
  expect("plan_large", {"plan", "study.yaml"});
}

TEST_F(Golden, RunStatusExplainAndLogsOfARunThatIsDone) {
  expect("run_done", {"run", "study.yaml", "--cores", "1"});
  expect("status_done", {"status"});
  expect("status_all", {"status", "--all"});
  expect("explain_done", {"explain", "last", "collect"});
  expect("results_done", {"results"});
  expect("results_top", {"results", "last", "square", "--sort", "area", "--top", "3"});
  expect("results_csv", {"results", "--sort", "+area", "--csv"});
  expect("results_json", {"results", "last", "square", "--top", "1", "--json"});
  expect("results_unknown_column", {"results", "--sort", "are"});
  expect("logs_collect", {"logs", "collect"});
  expect("resume_done", {"resume", "last"});
  expect("clean_newest", {"clean", "--keep", "0"});
}

TEST_F(Golden, ALineThatIsNoMetricIsToldInTheLogs) {
  std::ofstream(folder.path() / "metrics.yaml")
      << "name: metrics\nstages: {fit: {run: 'printf \"loss=1\\nno metric\\n\" >$KERNMILL_METRICS'}}\n";
  EXPECT_EQ(kernmill({"run", "metrics.yaml"}).exit_code, 0);
  expect("logs_bad_metric", {"logs", "last", "fit"});
}

TEST_F(Golden, ResultsAreReadByALineOfPython) {
  kernmill({"run", "study.yaml"});
  const Finished python = run_program({{"python3", "-c",
                                        "import csv, subprocess, sys\n"
                                        "rows = list(csv.DictReader(subprocess.run(sys.argv[1:], stdout=-1, "
                                        "text=True).stdout.splitlines()))\n"
                                        "print(len(rows), max(int(row['area']) for row in rows))",
                                        KERNMILL, "results", "last", "square", "--csv"},
                                       folder.path(),
                                       {}});
  EXPECT_EQ(python.out, "15 15\n") << python.err;
}

TEST_F(Golden, SecondRunIsTakenFromTheCache) {
  kernmill({"run", "cached.yaml"});
  expect("run_cached", {"run", "cached.yaml", "--cores", "1"});
  expect("plan_cached", {"plan", "cached.yaml"});
  expect("explain_cached", {"explain"});
  expect("clean_older", {"clean", "--keep", "1", "--yes"});
}

TEST_F(Golden, RunStatusAndLogsOfARunThatFails) {
  expect("run_failed", {"run", "failing.yaml", "--cores", "1"});
  expect("status_failed", {"status"});
  expect("status_failed_json", {"status", "--json"});
  expect("explain_failed", {"explain"});
  expect("logs_failed", {"logs", "last", "fit", "--err"});
  expect("resume_failed", {"resume", "--cores", "1", "--quiet"});
}

TEST_F(Golden, RunThatFailsFast) {
  expect("run_fail_fast", {"run", "failing.yaml", "--cores", "1", "--fail-fast"});
}
TEST_F(Golden, ResumeOfARunWithoutAPlan) {
  fs::create_directories(folder.path() / "runs" / "diamond-20260101-000000-0000" / "journal");
  expect("resume_preparing", {"resume"});
  expect("status_preparing", {"status", "--all"});
}

TEST_F(Golden, VersionHasASchema) {
  const Finished finished = kernmill({"version", "--json"});
  EXPECT_EQ(finished.exit_code, 0);
  const Json json = Json::parse(finished.out);
  EXPECT_EQ(json.at("schema_version"), 1);
  EXPECT_EQ(json.at("builds").at("kernmill").get<std::string>().size(), 16U);
  EXPECT_TRUE(json.at("builds").at("kernmill-task").is_null());
}

}  // namespace
}  // namespace kernmill::testing
