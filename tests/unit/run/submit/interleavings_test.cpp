// A run, whoever submits, resumes, cancels and removes it, and a cluster on which anything may happen between
// two of their records: every history up to some length, by the functions that decide it in earnest. Where
// two histories have led to the same, only one of them is followed.
#include <memory>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "modelled_run.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::Broken;
using testing::Event;
using testing::ModelledRun;

/// Goes through all histories, breadth first.
class Exploration {
 public:
  explicit Exploration(fs::path place) : place_(std::move(place)) {}

  /// `disturbed` commands with an event at any of their records, the first of them a submission, and one more
  /// that nothing disturbs; after each of them whatever brings the run to its end.
  void explore(int disturbed) {
    ModelledRun start(next_place());
    attempt(start, [](ModelledRun& world) { return world.submit(false, -1, Event::nothing), true; });
    for_each_moment(start,
                    [](ModelledRun& world, int at, Event event) { return world.submit(false, at, event); });
    for (int level = 1; level < disturbed; ++level) {
      const auto worlds = std::exchange(frontier_, {});
      for (const auto& world : worlds) {
        for_each_moment(*world,
                        [](ModelledRun& to, int at, Event event) { return to.submit(true, at, event); });
        for_each_moment(*world, [](ModelledRun& to, int at, Event event) { return to.cancel(at, event); });
        undisturbed(*world);
      }
    }
    const auto worlds = std::exchange(frontier_, {});
    for (const auto& world : worlds) undisturbed(*world);
  }

  [[nodiscard]] std::size_t states() const { return seen_.size(); }
  [[nodiscard]] std::size_t steps() const { return steps_; }

 private:
  fs::path next_place() { return place_ / std::to_string(++places_); }

  template <typename Step>
  bool attempt(const ModelledRun& from, const Step& step) {
    const fs::path place = next_place();
    auto world = std::make_unique<ModelledRun>(from, place);
    ++steps_;
    const bool happened = step(*world);
    if (happened && seen_.insert(world->state()).second) {
      const fs::path other = next_place();
      ModelledRun(*world, other).check_that_it_can_be_finished();
      fs::remove_all(other);
      frontier_.push_back(std::move(world));
    } else {
      fs::remove_all(place);
    }
    return happened;
  }

  /// The command undisturbed, and with each event at each of its records.
  template <typename Command>
  void for_each_moment(const ModelledRun& from, const Command& command) {
    for (const Event event : {Event::kill, Event::kill_request_under_way, Event::wish, Event::controller_down,
                              Event::controller_forgets, Event::start, Event::finish})
      for (int at = 0; attempt(from, [&](ModelledRun& world) { return command(world, at, event); });) {
        at += event == Event::kill ? 1 : 2;  // nothing lies between two records but one request
      }
  }

  void undisturbed(const ModelledRun& from) {
    attempt(from, [](ModelledRun& world) { return world.submit(true, -1, Event::nothing), true; });
    attempt(from, [](ModelledRun& world) { return world.cancel(-1, Event::nothing), true; });
    attempt(from, [](ModelledRun& world) { return world.clean(), true; });
    attempt(from, [](ModelledRun& world) { return world.start(); });
    attempt(from, [](ModelledRun& world) { return world.finish(); });
    attempt(from, [](ModelledRun& world) { return world.finish(false); });
    attempt(from, [](ModelledRun& world) { return world.hold(); });
    attempt(from, [](ModelledRun& world) { return world.scancel(); });
    attempt(from, [](ModelledRun& world) { return world.forget(); });
    attempt(from, [](ModelledRun& world) { return world.settle(); });
  }

  fs::path place_;
  unsigned places_ = 0;
  std::size_t steps_ = 0;
  std::set<std::string> seen_;
  std::vector<std::unique_ptr<ModelledRun>> frontier_;
};

/// In memory where there is such a place: it is about the order of records, not about disks.
class Place {
 public:
  Place() : path_(fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) {
    path_ /= fmt::format("kernmill-model-{}", ::getpid());
  }
  ~Place() { fs::remove_all(path_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(Interleavings, OfSubmitResumeCancelCleanAndMishapsLeaveEveryRunWhole) {
  const Place place;
  const char* wanted = std::getenv("KERNMILL_LONG");
  Exploration exploration(place.path());
  try {
    exploration.explore(wanted != nullptr && std::string(wanted) == "1" ? 3 : 2);
  } catch (const Broken& broken) {
    FAIL() << broken.what();
  }
  RecordProperty("states", static_cast<int>(exploration.states()));
  RecordProperty("steps", static_cast<int>(exploration.steps()));
  EXPECT_GT(exploration.states(), 100U);
}

}  // namespace
}  // namespace kernmill
