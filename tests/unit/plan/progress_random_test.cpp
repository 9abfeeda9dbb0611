#include <random>

#include <gtest/gtest.h>

#include "plan_support.hpp"

// Random graphs, driven with random outcomes in random order.
namespace kernmill::testing {
namespace {

class RandomRun {
 public:
  explicit RandomRun(unsigned seed) : random_(seed), plan_(random_plan()) { draw_fates(); }

  /// Takes and reports in an order that `order` decides, `steps` times at most.
  void drive(Progress& progress, unsigned order, int steps = 1 << 30) {
    std::mt19937 choice(order);
    std::vector<InstanceId> running;
    while (steps-- > 0) {
      const auto taken = choice() % 3 != 0 || running.empty() ? progress.take_ready() : std::nullopt;
      if (taken) {
        check_may_start(progress, *taken);
        running.push_back(*taken);
      } else if (running.empty()) {
        return;
      } else {
        std::swap(running[choice() % running.size()], running.back());
        report(progress, running.back());
        running.pop_back();
      }
    }
    for (const InstanceId id : running) progress.put_back(id);
  }

  [[nodiscard]] const Plan& plan() const { return plan_; }

  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (std::uint32_t s = 0; s < plan_.stage_count(); ++s)
      for (std::uint32_t i = 0; i < plan_.instance_count(s); ++i) visit(InstanceId{s, i});
  }

 private:
  Plan random_plan() {
    std::vector<Stage> stages;
    const auto count = static_cast<unsigned>(1 + random_() % 8);
    for (unsigned s = 0; s < count; ++s) {
      std::vector<std::string> needs;
      for (unsigned parent = 0; parent < s; ++parent)
        if (random_() % 3 == 0) needs.push_back("s" + std::to_string(parent));
      stages.push_back(random_stage("s" + std::to_string(s), needs));
    }
    return kernmill::testing::plan(stages);
  }

  Stage random_stage(const std::string& name, const std::vector<std::string>& needs) {
    const auto kind = static_cast<unsigned>(random_() % 4);
    Stage stage = kind == 0 ? tune(name, needs, static_cast<int>(1 + random_() % 4)) : command(name, needs);
    if (kind >= 2) stage.matrix = one_axis(static_cast<int>(kind * 2));
    stage.max_parallel = static_cast<int>(random_() % 3);
    stage.max_fails = static_cast<int>(random_() % 3);
    return stage;
  }

  void draw_fates() {
    fates_.resize(plan_.stage_count());
    for_each([this](InstanceId id) {
      const auto roll = static_cast<unsigned>(random_() % 10);
      fates_[id.stage].push_back(roll == 0 ? State::failed : roll == 1 ? State::skipped : State::finished);
    });
  }

  void report(Progress& progress, InstanceId id) {
    if (random_() % 10 == 0) {
      progress.failed(id, true);
      return;
    }
    const State fate = fates_[id.stage][id.index];
    if (fate == State::failed) progress.failed(id, false);
    if (fate == State::skipped) progress.skipped(id);
    if (fate == State::finished) progress.finished(id);
  }

  void check_may_start(const Progress& progress, InstanceId id) const {
    const auto bound = static_cast<std::uint32_t>(plan_.stage(id.stage).max_parallel);
    if (bound > 0) {
      ASSERT_LE(progress.count(id.stage, State::running), bound);
    }
    for (const Edge& edge : plan_.parents(id.stage)) {
      if (edge.kind == EdgeKind::each) {
        ASSERT_EQ(progress.state({edge.stage, id.index}), State::finished);
        continue;
      }
      for (const State unsettled : {State::waiting, State::ready, State::running})
        ASSERT_EQ(progress.count(edge.stage, unsettled), 0);
    }
  }

  std::mt19937 random_;
  Plan plan_;
  std::vector<std::vector<State>> fates_;
};

constexpr unsigned graphs = 300;

TEST(RandomGraphs, AlwaysEndWithNothingLeftWaiting) {
  for (unsigned seed = 0; seed < graphs; ++seed) {
    RandomRun run(seed);
    Progress progress(run.plan(), {});
    run.drive(progress, seed);
    EXPECT_TRUE(progress.complete()) << seed;
    for (const State unsettled : {State::waiting, State::ready, State::running})
      ASSERT_EQ(progress.count(unsettled), 0) << seed;
  }
}

TEST(RandomGraphs, EndTheSameInWhateverOrderThingsHappen) {
  for (unsigned seed = 0; seed < graphs; ++seed) {
    RandomRun run(seed);
    Progress one(run.plan(), {}), other(run.plan(), {});
    run.drive(one, 1);
    run.drive(other, 2);
    ASSERT_EQ(one.outcome(), other.outcome()) << seed;
    run.for_each([&](InstanceId id) {
      ASSERT_EQ(one.state(id), other.state(id)) << seed << " " << run.plan().label(id);
    });
  }
}

TEST(RandomGraphs, ContinueAfterAnInterruptionToTheSameEnd) {
  for (unsigned seed = 0; seed < graphs; ++seed) {
    RandomRun run(seed);
    Progress whole(run.plan(), {}), first_life(run.plan(), {}), second_life(run.plan(), {});
    run.drive(whole, seed);
    run.drive(first_life, seed, static_cast<int>(seed % 40));
    run.for_each([&](InstanceId id) {
      const State state = first_life.state(id);
      if (state == State::finished || state == State::skipped) second_life.restore(id, state);
    });
    run.drive(second_life, seed + 1);
    run.for_each([&](InstanceId id) {
      ASSERT_EQ(second_life.state(id), whole.state(id)) << seed << " " << run.plan().label(id);
    });
  }
}

TEST(RandomGraphs, FailFastEndsToo) {
  for (unsigned seed = 0; seed < graphs; ++seed) {
    RandomRun run(seed);
    Progress progress(run.plan(), {.fail_fast = true});
    run.drive(progress, seed);
    ASSERT_TRUE(progress.complete()) << seed;
    ASSERT_EQ(progress.count(State::running), 0) << seed;
  }
}

}  // namespace
}  // namespace kernmill::testing
