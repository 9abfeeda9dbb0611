// Ranks of different speed: the shares follow, and no bit of the model does.
#include <array>
#include <fstream>
#include <numeric>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/tasks/learn/train/gradient_sum.hpp"
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
  /// Trains with the last rank slowed until the ranks have got other shares; each time with the bits of one
  /// rank. On one rank there is nothing to share.
  void expect_the_bits_of_one_rank(const Json& config, const char* told) {
    const auto data = fold_four("digits", "digit");
    const tasks::Spec alone_spec = spec("train", config, {{"data", data}}, "alone");
    on_first_rank([&](const tasks::Communicator& alone) { tasks::run_train(alone_spec, alone); });
    const std::uint64_t expected = digest(parameters("alone"));
    Json balanced = config;
    balanced["balance"] = "dynamic";
    constexpr int tries = 20;
    for (int i = 0; i < tries; ++i) {
      const std::string out = output_of(balanced);
      ASSERT_EQ(digest(parameters()), expected);
      const bool has_moved = comm.size() == 1 || out.find(told) != std::string::npos;
      if (comm.allreduce(has_moved && comm.is_root() ? 1 : 0, tasks::Reduction::max) != 0) return;
    }
    FAIL() << "no rank got another share in " << tries << " trainings";
  }

 private:
  /// On rank 0.
  std::string output_of(const Json& config) {
    if (comm.is_root()) ::testing::internal::CaptureStdout();
    {
      std::optional<Slowed> slowed;
      if (comm.size() > 1 && comm.rank() == comm.size() - 1) slowed.emplace(directory / "slowed");
      train(directory / "prepare-digits" / "dataset.h5", config);
    }
    return comm.is_root() ? ::testing::internal::GetCapturedStdout() : "";
  }
};

TEST_F(Balanced, MiniBatchesMoveWithTheSpeedOfRanks) {
  Json config = train_config(mlp_model({64}), adam(1e-3, 60, 256));
  config["precision"] = "float32";
  expect_the_bits_of_one_rank(config, "balance: of 16 pieces of the rows ");
}

TEST_F(Balanced, ShardsMoveWithTheSpeedOfRanks) {
  expect_the_bits_of_one_rank(
      train_config(softmax_model(), {{"type", "gradient_descent"}, {"learning_rate", 0.1}, {"steps", 400}}),
      "balance: of 64 pieces of the rows ");
}

TEST_F(Balanced, HessiansAreOfTheRowsAsTheyAreShared) {
  expect_the_bits_of_one_rank(
      train_config(softmax_model(), {{"type", "newton"}, {"max_iterations", 40}, {"tolerance", 1e-12}}),
      "balance: of 64 pieces of the rows ");
}

/// Parts of a batch that sums in MPI's order are made of.
TEST_F(Balanced, FastSumsFollowTheExactOnes) {
  const auto data = fold_four("digits", "digit");
  Json config = train_config(mlp_model({64}), adam(1e-3, 5, 256));
  const double expected = train(data, config).metrics.at("train_loss");
  config["exact"] = false;
  config["balance"] = "dynamic";
  expect_relative(train(data, config, "fast").metrics.at("train_loss"), expected, 1e-6);
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
