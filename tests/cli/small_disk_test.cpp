// Runs on file systems that are too small, in a mount namespace: whatever was being done when the disk was
// full, the cause is named, nothing half-written passes for whole, and `resume` finishes once there is space.
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr const char* learning = R"(name: small
stages:
  prepare: {task: preprocess, input: iris.csv, target: species, split: {test: 0.2, seed: 7}, scale: standard}
  fit: {task: train, data: prepare, model: {type: linear_svm, C: 1.0}}
  score: {task: evaluate, model: fit, data: prepare}
)";

constexpr const char* packed = R"(name: small
stages:
  many:
    matrix: {i: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}
    pack: 6
    run: 'head -c 6000 /dev/zero; echo v=$KERNMILL_INSTANCE >> "$KERNMILL_METRICS"; head -c 3000 /dev/zero > "out.$KERNMILL_INSTANCE"'
  score: {needs: many, run: 'echo accuracy=1 >> "$KERNMILL_METRICS"'}
)";

/// Leaves run.rc, run.err, told (what status and explain say), again.rc, again.err, end.json and broken
/// beside the small file system, which is gone at the end.
constexpr const char* script = R"(
mkdir small home tmp runs && mount -t tmpfs -o "$OPTIONS" small small || exit 99
export HOME=$PWD/home TMPDIR=$PWD/tmp KERNMILL_RUNS=$PWD/runs
for name in $PLACES; do mkdir -p small/$name; mount --bind small/$name $name; done 2>bind.err
"$KERNMILL" run flow.yaml >run.out 2>run.err; echo $? >run.rc
"$KERNMILL" status >told 2>&1; "$KERNMILL" explain last >>told 2>&1
mount -o remount,size=200m,nr_inodes=100k small
for name in $PLACES; do mkdir -p small/$name; mountpoint -q $name || mount --bind small/$name $name; done
if ls runs/*/plan.json >/dev/null 2>&1; then again="resume last"; else again="run flow.yaml"; fi
"$KERNMILL" $again >again.out 2>again.err; echo $? >again.rc
"$KERNMILL" status --json >end.json
for file in $(find runs -name '*.h5' ! -path '*/.*'); do
  "$KERNMILL" data verify $file >/dev/null 2>&1 || "$KERNMILL" model verify $file >/dev/null 2>&1 ||
    echo $file >>broken
done
exit 0
)";

/// One run on one file system.
class SmallDisk {
 public:
  SmallDisk(const char* workflow, std::string places, std::string options)
      : name_(places + " with " + options) {
    std::ofstream(place_.path() / "flow.yaml") << workflow;
    std::ofstream(place_.path() / "script.sh") << script;
    fs::copy_file(DATA "/iris.csv", place_.path() / "iris.csv");
    program_ = std::make_unique<Program>(Invocation{{"unshare", "-rm", "bash", "script.sh"},
                                                    place_.path(),
                                                    {{"KERNMILL", KERNMILL},
                                                     {"KERNMILL_EXEC", KERNMILL_EXEC},
                                                     {"HYDRA_LAUNCHER", "fork"},
                                                     {"MPIR_CVAR_ENABLE_HEAVY_YIELD", "1"},
                                                     {"PLACES", std::move(places)},
                                                     {"OPTIONS", std::move(options)}}});
  }
  /// Whether the run failed on the small file system.
  bool expect_named_and_finished() {
    SCOPED_TRACE(name_);
    const Finished finished = program_->wait();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    const int first = number("run.rc");
    EXPECT_THAT(first, AnyOf(0, 1, 3)) << text("run.err");
    if (first != 0) {
      EXPECT_THAT(text("run.err") + text("told"), HasSubstr("No space left on device"));
    }
    EXPECT_EQ(number("again.rc"), 0) << text("run.err") << text("again.err");
    EXPECT_EQ(text("broken"), "") << "a file that is not whole has a final name";
    const json end = json::parse(text("end.json"), nullptr, /*allow_exceptions=*/false);
    EXPECT_EQ(end.is_object() ? end.value("state", "") : "none", "done") << text("end.json");
    return first != 0;
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  [[nodiscard]] std::string text(const char* file) const { return content(place_.path() / file); }
  [[nodiscard]] int number(const char* file) const {
    const std::string digits = text(file);
    return digits.empty() ? -1 : std::atoi(digits.c_str());
  }
  TemporaryDirectory place_;
  std::string name_;
  std::unique_ptr<Program> program_;
};

bool is_long() {
  const char* value = std::getenv("KERNMILL_LONG");
  return value != nullptr && std::string(value) == "1";
}

bool are_namespaces_allowed() {
  return run_program({{"unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"}, "/", {}}).exit_code == 0;
}

struct Sweep {
  const char* name;
  const char* workflow;
  const char* places;
  const char* before;                 ///< of each number, in the options of the mount
  std::vector<int> numbers, in_long;  ///< what CI tries, and what is tried on demand
  int least_failures;
};

std::vector<int> steps(int first, int last, int step) {
  std::vector<int> numbers;
  for (int number = first; number <= last; number += step) numbers.push_back(number);
  return numbers;
}

class SmallDisks : public ::testing::TestWithParam<Sweep> {};

TEST_P(SmallDisks, NameTheCauseAndLetARunFinishOnceThereIsSpace) {
  if (!are_namespaces_allowed()) GTEST_SKIP() << "mount namespaces are not allowed here";
  const Sweep& sweep = GetParam();
  constexpr std::size_t side_by_side = 2;
  std::deque<std::unique_ptr<SmallDisk>> running;
  int failed = 0;
  const auto settle_one = [&] {
    failed += running.front()->expect_named_and_finished() ? 1 : 0;
    running.pop_front();
  };
  for (const int number : is_long() ? sweep.in_long : sweep.numbers) {
    if (running.size() == side_by_side) settle_one();
    const bool is_size = std::string(sweep.before) == "size=";
    running.push_back(std::make_unique<SmallDisk>(
        sweep.workflow, sweep.places, sweep.before + std::to_string(number) + (is_size ? "k" : "")));
  }
  while (!running.empty()) settle_one();
  EXPECT_GE(failed, sweep.least_failures) << "the file systems were not small";
}

INSTANTIATE_TEST_SUITE_P(
    Of, SmallDisks,
    ::testing::Values(
        Sweep{"learning_bytes",
              learning,
              "runs home tmp",
              "size=",
              {8, 24, 32, 40, 60, 84, 104, 132, 168},
              steps(4, 200, 4),
              6},
        Sweep{"learning_inodes",
              learning,
              "runs home tmp",
              "size=20m,nr_inodes=",
              {8, 18, 28, 34, 42},
              steps(4, 70, 1),
              3},
        Sweep{"packed_bytes", packed, "runs home tmp", "size=", {16, 32, 56, 84, 120}, steps(4, 200, 4), 3},
        Sweep{"packed_inodes",
              packed,
              "runs home tmp",
              "size=20m,nr_inodes=",
              {14, 24, 32},
              steps(4, 70, 1),
              1},
        Sweep{"home", learning, "home", "size=", {4}, {4, 8, 16}, 0},
        Sweep{"scratch", learning, "tmp", "size=", {4}, {4, 8, 16, 64}, 0}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace kernmill::testing
