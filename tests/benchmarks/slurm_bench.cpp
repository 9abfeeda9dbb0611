// What Kernmill costs on a cluster, beside what Slurm itself can do: all in one run, the rivals in turn.
//   bench_slurm [ROUNDS [ELEMENTS]]   ELEMENTS: of the large array, 5,000 unless given
//   bench_slurm million      what planning and submitting a million packed instances takes
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/report/quantity.hpp"
#include "measured.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

struct Times {
  double accepted = 0, done = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Bench {
 public:
  Bench(int rounds, int elements)
      : rounds_(rounds),
        elements_(elements),
        world_({.extra = "MaxJobCount=30000\nMaxArraySize=10001\nMinJobAge=5"}) {}

  void run() {
    const std::vector<std::pair<std::string, std::function<void()>>> rivals{
        {"kernmill submit", [this] { submit_flow(); }},
        {"two sbatch arrays, aftercorr", [this] { two_arrays(); }},
        {"loop of sbatch", [this] { loop(); }}};
    std::map<std::string, std::vector<double>> accepted, done;
    chain();
    for (int round = 0; round < rounds_; ++round)
      for (const auto& [name, submit] : rivals) {
        const Times times = measure(submit);
        accepted[name].push_back(times.accepted);
        done[name].push_back(times.done);
      }
    const std::string& raw = rivals[1].first;
    fmt::print("100 + 100 dependent trivial jobs, median of {} rounds\n", rounds_);
    for (const auto& [name, submit] : rivals)
      fmt::print("  {:<30} accepted {:6.3f} s ({:+.0f} ms)   done {:6.2f} s ({:.2f} times)\n", name,
                 median(accepted[name]), 1000 * (median(accepted[name]) - median(accepted[raw])),
                 median(done[name]), median(done[name]) / median(done[raw]));
    packed();
    status();
    array();
  }

  /// Submits 1,000 x 1,000 instances held, and shows them. Goal: at most 200 MB of memory.
  void million() {
    std::string axis = "[0";
    for (int i = 1; i < 1'000; ++i) axis += ", " + std::to_string(i);
    axis += "]";
    world_.workflow("  many:\n    matrix: {i: " + axis + ", j: " + axis + "}\n    run: 'true'\n");
    ::setenv("KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE, 1);
    std::filesystem::current_path(world_.path());
    const std::vector<std::vector<std::string>> commands{{"plan", "flow.yaml"},
                                                         {"plan", "flow.yaml", "--scheduler", "slurm"},
                                                         {"submit", "flow.yaml", "--hold", "-q"},
                                                         {"status"},
                                                         {"explain"},
                                                         {"resume", "--hold", "-q"},
                                                         {"cancel", "last"}};
    for (const auto& command : commands) {
      std::vector<std::string> words{KERNMILL};
      words.insert(words.end(), command.begin(), command.end());
      const Cost cost = cost_of(words);
      fmt::print("{:40} {:7.2f} s ({:6.2f} s of CPU)  {:6.1f} MB  status {}\n",
                 fmt::format("{}", fmt::join(command, " ")), cost.seconds, cost.cpu,
                 static_cast<double>(cost.peak_kb) / 1024, cost.status);
    }
  }

 private:
  void chain() const {
    std::string values;
    for (int i = 0; i < 100; ++i) values += (i == 0 ? "" : ", ") + std::to_string(i);
    const std::string stage =
        "matrix: {i: [" + values + "]}, run: 'true', resources: {mem: 100M, time: 1m}}\n";
    world_.workflow("  a: {" + stage + "  b: {needs: a, " + stage);
  }
  void submit_flow() { world_.submit({"--no-cache", "-q"}); }
  void two_arrays() {
    const std::string id = sbatch({"--array=0-99", "--wrap", "true", "-o", "/dev/null"});
    sbatch({"--array=0-99", "--wrap", "true", "-o", "/dev/null", "-d", "aftercorr:" + id});
  }
  void loop() {
    std::vector<std::string> ids;
    for (int i = 0; i < 100; ++i) ids.push_back(sbatch({"--wrap", "true", "-o", "/dev/null"}));
    for (const std::string& id : ids) sbatch({"--wrap", "true", "-o", "/dev/null", "-d", "afterok:" + id});
  }
  /// Without a memory of its own each job takes a whole node, and how often the controller looks for free
  /// nodes is all that is measured.
  std::string sbatch(std::vector<std::string> words) {
    words.insert(words.begin(), {"sbatch", "--parsable", "--mem=100M", "--time=1"});
    std::string id = world_.slurm().run(words);
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
  }

  Times measure(const std::function<void()>& submit) {
    Times times;
    const auto begin = Clock::now();
    submit();
    times.accepted = seconds_since(begin);
    times.done = until_idle(begin);
    return times;
  }
  double until_idle(Clock::time_point begin) {
    const auto idle = [this] {
      const auto jobs = cluster_->jobs();
      return std::none_of(jobs.begin(), jobs.end(), [](const ClusterJob& job) { return is_live(job.state); });
    };
    while (!idle()) ::usleep(100'000);
    return seconds_since(begin);
  }

  /// 10,000 instances of `true`, packed, beside a bare loop that starts as many, as wide.
  void packed() {
    const std::string digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    world_.workflow("  many:\n    matrix: {a: " + digits + ", b: " + digits + ", c: " + digits +
                    ", d: " + digits + "}\n    pack: auto\n    run: 'true'\n");
    std::vector<double> ours, running, bare;
    for (int round = 0; round < rounds_; ++round) {
      ours.push_back(measure([this] { submit_flow(); }).done);
      running.push_back(time_of_instances());
      bare.push_back(10'000 / bare_loop(10'000, 16));
    }
    fmt::print(
        "10,000 instances of `true`, packed: {:.2f} s from the first start to the last commit, {:.2f} s from "
        "submit "
        "to done; a bare posix_spawn loop, 16 wide: {:.2f} s; throughput {:.2f} of it\n",
        median(running), median(ours), median(bare), median(bare) / median(running));
  }
  [[nodiscard]] double time_of_instances() const {
    std::string first = "9", last;
    for (const auto& [key, instance] : world_.record().instances) {
      first = std::min(first, instance.attempts.back().started_at);
      last = std::max(last, instance.attempts.back().ended_at);
    }
    return between(first, last).value_or(std::chrono::duration<double>(0)).count();
  }
  void status() {
    std::vector<double> times;
    for (int round = 0; round < 5; ++round) {
      const auto begin = Clock::now();
      if (world_.kernmill({"status"}).exit_code != 0) fmt::print("status failed\n");
      times.push_back(seconds_since(begin));
    }
    fmt::print("kernmill status of that run: {:.0f} ms\n", 1000 * median(times));
  }

  /// A large array, one job an instance, beside the same by sbatch alone.
  void array() {
    std::string flow =
        "  many:\n    pack: 1\n    run: 'true'\n    resources: {mem: 100M, time: 1m}\n    matrix: {i: [";
    for (int i = 0; i < elements_; ++i) flow += (i == 0 ? "" : ", ") + std::to_string(i);
    world_.workflow(flow + "]}\n");
    std::vector<double> ours, raw;
    for (int round = 0; round < rounds_; ++round) {
      raw.push_back(
          measure([&] {
            sbatch({fmt::format("--array=0-{}", elements_ - 1), "--wrap", "true", "-o", "/dev/null"});
          }).done);
      ours.push_back(measure([this] { submit_flow(); }).done);
    }
    fmt::print("an array of {} jobs: {:.1f} s; by sbatch alone: {:.1f} s; {:.2f} times\n", elements_,
               median(ours), median(raw), median(ours) / median(raw));
  }

  int rounds_, elements_;
  SubmitWorld world_;
  std::unique_ptr<Cluster> cluster_ = SlurmWorld::open();
};

}  // namespace
}  // namespace kernmill::testing

int main(int argc, char** argv) {
  if (const std::string reason = kernmill::testing::no_slurm_because(); !reason.empty()) {
    fmt::print("left out: {}\n", reason);
    return 0;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const auto number = [&](int at, int otherwise) {
    return argc > at ? std::max(1, std::atoi(argv[at])) : otherwise;
  };
  if (argc > 1 && std::string(argv[1]) == "million") {
    kernmill::testing::Bench(1, 1).million();
    return 0;
  }
  kernmill::testing::Bench(number(1, 3), number(2, 5'000)).run();
  return 0;
}
