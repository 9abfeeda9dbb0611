// Ranks of different speed: the shares follow, and no bit of the model does.
#include <array>
#include <fstream>
#include <limits>
#include <numeric>
#include <optional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/tasks/learn/train/gradient_sum.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "kernmill/tasks/learn/train/newton.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network/make_network.hpp"
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;
using ::testing::HasSubstr;

/// Slows this process to about a third, as long as it lives: somebody stops it again and again.
class Slowed {
 public:
  explicit Slowed(const std::filesystem::path& file) : file_(file) {
    std::ofstream(file_).flush();
    std::string script =
                    "while [ -e \"$0\" ]; do kill -STOP \"$1\" || exit; sleep 0.004; kill -CONT \"$1\"; "
                    "sleep 0.002; done",
                shell = "sh", option = "-c", name = file_.string(), process = std::to_string(::getpid());
    std::array<char*, 6> words{shell.data(), option.data(),  script.data(),
                               name.data(),  process.data(), nullptr};
    // Not our output: MPI's launcher would wait for its end.
    posix_spawn_file_actions_t files{};
    posix_spawn_file_actions_init(&files);
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_WRONLY, 0);
    EXPECT_EQ(posix_spawn(&child_, "/bin/sh", &files, nullptr, words.data(), environ), 0);
    posix_spawn_file_actions_destroy(&files);
  }
  ~Slowed() {  // it ends after it has let us go on
    std::filesystem::remove(file_);
    ::waitpid(child_, nullptr, 0);
  }
  Slowed(const Slowed&) = delete;
  Slowed& operator=(const Slowed&) = delete;

 private:
  std::filesystem::path file_;
  pid_t child_ = 0;
};

class Balanced : public LearnWorld {
 protected:
  void SetUp() override {
    LearnWorld::SetUp();
    data_ = fold_four("digits", "digit");
  }
  /// Shares that follow every look at the clock, whatever that gains.
  static tasks::BalanceSettings restless() {
    tasks::BalanceSettings settings(tasks::Balancing::dynamic);
    settings.least_sums = 1;
    settings.least_seconds = 0;
    settings.worth_it = std::numeric_limits<double>::infinity();
    return settings;
  }
  /// The bits of what `train` trains with such shares are those of even ones.
  template <class Train>
  void expect_the_same_bits(const Json& config, const Train& train_with) {
    const storage::DatasetReader reader(comm.handle(), data_);
    const tasks::Rows rows(reader, storage::Part::train);
    const auto settings = tasks::read_train_settings(config);
    const auto digest_with = [&](const tasks::BalanceSettings& balancing) {
      tasks::Network network = tasks::make_network(*settings.model, rows.schema());
      const auto criterion = settings.model->criterion(static_cast<double>(rows.count()), 1);
      tasks::Session session(comm, {}, true);
      const auto start = settings.model->start(network, settings.seed);
      return digest(train_with(settings, rows, network, criterion, balancing, start, session).parameters);
    };
    const std::uint64_t even = digest_with({});
    if (comm.is_root()) ::testing::internal::CaptureStdout();
    EXPECT_EQ(digest_with(restless()), even);
    const std::string said = comm.is_root() ? ::testing::internal::GetCapturedStdout() : "";
    if (comm.is_root() && comm.size() > 1) {
      EXPECT_THAT(said, HasSubstr("balance: of "));
    }
  }
  std::filesystem::path data_;
};

TEST_F(Balanced, MiniBatchesHaveTheirBitsHoweverTheyMove) {
  expect_the_same_bits(train_config(mlp_model({64}), adam(1e-3, 10, 256)),
                       [](const auto& settings, const auto& rows, auto& network, const auto& criterion,
                          const auto& balancing, const auto& start, auto& session) {
                         const auto weight = static_cast<double>(rows.count());
                         tasks::BatchTask<double> task{
                             settings.optimizer, settings.seed, criterion, rows, network, weight};
                         task.balancing = balancing;
                         return tasks::train_in_batches(task, start, session);
                       });
}

TEST_F(Balanced, HessiansAreOfTheRowsAsTheyAreShared) {
  expect_the_same_bits(
      train_config(softmax_model(), {{"type", "newton"}, {"max_iterations", 12}, {"tolerance", 1e-12}}),
      [](const auto& settings, const auto& rows, auto& network, const auto& criterion, const auto& balancing,
         const auto& start, auto& session) {
        const tasks::RowPlan plan{1U << 30U, 64, nullptr, balancing, static_cast<double>(rows.count())};
        tasks::Objective objective(session, rows, network, criterion, plan);
        return tasks::minimize_newton(settings.optimizer, objective, start, session);
      });
}

/// One of two ranks is slowed until they have got other shares; each time with the bits of one rank.
TEST_F(Balanced, SharesMoveWithTheSpeedOfRanks) {
  if (comm.size() != 2) GTEST_SKIP() << "on more ranks than cores all are slow in turn";
  Json config =
      train_config(softmax_model(), {{"type", "gradient_descent"}, {"learning_rate", 0.1}, {"steps", 400}});
  train(data_, config, "even");
  config["balance"] = "dynamic";
  constexpr int tries = 60;
  for (int i = 0; i < tries; ++i) {
    std::optional<Slowed> slowed;
    if (!comm.is_root()) slowed.emplace(directory / "slowed");
    if (comm.is_root()) ::testing::internal::CaptureStdout();
    train(data_, config);
    slowed.reset();
    const std::string said = comm.is_root() ? ::testing::internal::GetCapturedStdout() : "";
    ASSERT_EQ(digest(parameters()), digest(parameters("even")));
    const bool has_moved = said.find("balance: of 64 pieces of the rows rank 0: ") != std::string::npos;
    if (comm.allreduce(has_moved ? 1 : 0, tasks::Reduction::max) != 0) return;
  }
  FAIL() << "no rank got another share in " << tries << " trainings";
}

/// Parts of a batch that sums in MPI's order are made of.
TEST_F(Balanced, FastSumsFollowTheExactOnes) {
  Json config = train_config(mlp_model({64}), adam(1e-3, 5, 256));
  const double expected = train(data_, config).metrics.at("train_loss");
  config["exact"] = false;
  config["balance"] = "dynamic";
  expect_relative(train(data_, config, "fast").metrics.at("train_loss"), expected, 1e-6);
}

/// Any way to give pieces to ranks, none to some of them, has one sum.
TEST_F(Balanced, SumsHaveTheBitsOfEvenSharesForAnyOthers) {
  constexpr std::uint64_t pieces = 16;
  for (const std::size_t length : {5U, 40'000U}) {
    std::vector<std::vector<float>> sums;
    for (const bool even : {true, false}) {
      tasks::GradientSum<float> sum(comm, tasks::Summing::exact, pieces, 2, true);
      if (!even) {
        tasks::LeafShares shares(static_cast<std::size_t>(comm.size()), {pieces, pieces});
        shares.front() = {0, comm.size() == 1 ? pieces : 3};
        if (comm.size() > 1) shares[1] = {3, pieces};
        sum.set_shares(shares);
      }
      const auto own = sum.own();
      kernels::TreeFold<kernels::Host, float> tree;
      const auto gradients = sum.gradients(length);
      for (std::uint64_t piece = own.begin; piece < own.end; ++piece) {
        auto values = kernels::make_vector<kernels::Host, float>(length);
        for (std::size_t i = 0; i < length; ++i)
          values(i) = 1.0F / static_cast<float>(1 + piece * 31 + i % 97);
        tree.add({0, piece, values});
        sum.losses()(piece - own.begin, 0) = 1.0 / static_cast<double>(3 + piece);
        sum.losses()(piece - own.begin, 1) = 1;
      }
      ASSERT_EQ(tree.nodes().size(), gradients.size());
      for (std::size_t i = 0; i < gradients.size(); ++i) Kokkos::deep_copy(gradients[i], tree.nodes()[i].sum);
      const auto made = sum.sum(0);
      EXPECT_EQ(made.losses[1], pieces);
      std::vector<float> all(length);
      std::copy_n(made.gradient.data(), made.range.count(),
                  all.begin() + static_cast<std::ptrdiff_t>(made.range.begin));
      sum.complete(std::span(all));
      all.push_back(static_cast<float>(made.losses[0]));
      EXPECT_EQ(sum.seconds().size(), static_cast<std::size_t>(comm.size()));
      sums.push_back(std::move(all));
    }
    EXPECT_EQ(sums[0], sums[1]) << length;
  }
}

}  // namespace
}  // namespace kernmill::testing
