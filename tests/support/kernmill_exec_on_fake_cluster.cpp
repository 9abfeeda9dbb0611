// kernmill-exec with a batch system of files, in the folder FAKE_CLUSTER:
//   calls   what it was asked to do, one line each
//   state   what it says of every job: "running", "completing pending", ...; empty: it does not know it
//   limit   in how many seconds the job's time limit ends it
//   ends    the same, in seconds since 1970
//   down    for so many calls the controller does not answer; the file goes with the last of them
//   refuse  it is there: whatever it is asked to do is rejected
//   jobs    what it says of all jobs: "id elements state comment", one line each; "-": no elements
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernmill/exec/dispatch.hpp"

namespace {

using namespace kernmill;
namespace fs = std::filesystem;

JobState state_named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(JobState::out_of_memory); ++i)
    if (to_string(static_cast<JobState>(i)) == name) return static_cast<JobState>(i);
  return JobState::running;
}

class FileCluster final : public Cluster {
 public:
  [[nodiscard]] std::string description() const override { return "a cluster of files"; }
  [[nodiscard]] std::vector<std::string> check(const BatchJob&) const override { return {}; }
  std::string submit(const BatchJob&) override { return "0"; }
  void release(const std::string& job) override { note("release " + job); }
  void cancel(const std::string& job) override { note("cancel " + job); }
  void signal(const std::string& job, int signal) override {
    note("signal " + job + " " + std::to_string(signal));
  }
  void requeue(const std::string& job) override { note("requeue " + job); }
  void change(const std::string& job, const BatchJob::Options& options) override {
    std::string text = "change " + job;
    for (const auto& [name, value] : options) text += " " + name + "=" + value;
    note(text);
  }
  std::vector<ClusterJob> jobs() override {
    answer();
    std::vector<ClusterJob> result;
    std::ifstream file(folder_ / "jobs");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      ClusterJob job;
      std::string state;
      words >> job.id >> job.elements >> state >> job.comment;
      if (job.elements == "-") job.elements.clear();
      job.state = state_named(state);
      result.push_back(job);
    }
    return result;
  }
  std::vector<ClusterJob> job(const std::string& id) override {
    answer();
    std::ifstream file(folder_ / "state"), limit(folder_ / "limit");
    ClusterJob job;
    std::string state, next;
    if (!(file >> state)) return {};
    file >> next;
    job.id = id;
    job.state = state_named(state);
    job.next_state = next.empty() ? job.state : state_named(next);
    if (std::int64_t seconds = 0; limit >> seconds) job.limit = std::time(nullptr) + seconds;
    if (std::ifstream ends(folder_ / "ends"); ends) ends >> job.limit;
    return {job};
  }
  ClusterFacts facts() override { return {}; }
  std::optional<std::chrono::system_clock::time_point> expected_start(const BatchJob&) override { return {}; }
  std::map<std::string, std::uint64_t> request_counts() override { return {}; }

 private:
  void answer() {
    int calls = 0;
    if (!(std::ifstream(folder_ / "down") >> calls)) return;
    if (calls <= 1)
      fs::remove(folder_ / "down");
    else
      std::ofstream(folder_ / "down") << calls - 1;
    throw ClusterError(ClusterError::Kind::unavailable, "the controller does not answer");
  }
  void note(const std::string& call) {
    answer();
    if (fs::exists(folder_ / "refuse"))
      throw ClusterError(ClusterError::Kind::rejected, "that is not allowed here");
    std::ofstream(folder_ / "calls", std::ios::app) << call << "\n";
  }
  fs::path folder_ = std::getenv("FAKE_CLUSTER");
};

}  // namespace

int main(int argc, char** argv) {
  return exec::dispatch(argc, argv, {}, [] { return std::make_unique<FileCluster>(); });
}
