#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/models/kernel_svm/pairs.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using Clock = std::chrono::steady_clock;

// Ranks that have pairs of their own meet after that time: then a request to stop is heard, and a checkpoint
// may be written.
constexpr std::chrono::milliseconds between_meetings{500};
constexpr std::size_t rows_of_a_long_pair = 16'384;

class PairTraining {
 public:
  PairTraining(Session& session, const kernels::Matrix<kernels::Device>& all,
               const kernels::KernelFunction& function, std::vector<SvmPair>& pairs, std::uint64_t cache);
  void run();

 private:
  void deal();
  void advance();
  bool meet();
  [[nodiscard]] std::vector<double> packed_states(std::span<const std::size_t> which) const;
  void unpack(const std::vector<double>& packed);
  void gather();
  [[nodiscard]] std::string line() const;

  Session& session_;
  kernels::Matrix<kernels::Device> all_;
  kernels::KernelFunction function_;
  std::vector<SvmPair>& pairs_;
  std::uint64_t cache_;
  bool shared_;                     ///< whether all ranks work on each pair
  Communicator workers_;            ///< on a pair
  std::vector<std::size_t> every_;  ///< pair
  std::vector<std::size_t> own_;    ///< pairs, in the order in which they are solved
  std::size_t done_ = 0;            ///< of these
  std::optional<SvmSolver> solver_;
  std::uint64_t step_ = 0;
  unsigned wishes_ = 0;
};

bool is_shared(const Communicator& comm, const std::vector<SvmPair>& pairs) {
  return pairs.size() < 2 * static_cast<std::size_t>(comm.size()) ||
         std::any_of(pairs.begin(), pairs.end(),
                     [](const SvmPair& pair) { return pair.problem.rows.size() > rows_of_a_long_pair; });
}

PairTraining::PairTraining(Session& session, const kernels::Matrix<kernels::Device>& all,
                           const kernels::KernelFunction& function, std::vector<SvmPair>& pairs,
                           std::uint64_t cache)
    : session_(session),
      all_(all),
      function_(function),
      pairs_(pairs),
      cache_(cache),
      shared_(is_shared(session.comm(), pairs)),
      workers_(session.comm().split(shared_ ? 0 : session.comm().rank(), session.comm().rank())),
      every_(pairs.size()) {
  std::iota(every_.begin(), every_.end(), std::size_t{0});
  deal();
}

/// The longest pairs first, each to the rank that has the least to do: the squares of their rows.
void PairTraining::deal() {
  std::vector<std::size_t> order = every_;
  if (!shared_)
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return pairs_[a].problem.rows.size() > pairs_[b].problem.rows.size();
    });
  std::vector<double> work(shared_ ? 1 : static_cast<std::size_t>(session_.comm().size()), 0.0);
  const std::size_t own = shared_ ? 0 : static_cast<std::size_t>(session_.comm().rank());
  for (const std::size_t pair : order) {
    const auto least = static_cast<std::size_t>(std::min_element(work.begin(), work.end()) - work.begin());
    const auto rows = static_cast<double>(pairs_[pair].problem.rows.size());
    work[least] += rows * rows;
    if (least == own) own_.push_back(pair);
  }
}

/// One step of the pair that is at hand.
void PairTraining::advance() {
  SvmPair& pair = pairs_[own_[done_]];
  if (!solver_) {
    solver_.emplace(workers_, all_, function_, pair.problem, cache_);
    if (!pair.state.alpha.empty()) solver_->restore(pair.state);
  }
  if (solver_->step()) return;
  pair.state = solver_->state();
  solver_.reset();
  ++done_;
}

/// Whether any rank has something left to do.
bool PairTraining::meet() {
  const unsigned own = session_.wishes();
  std::array<int, 4> any{done_ < own_.size() ? 1 : 0};
  for (std::size_t bit = 0; bit < 3; ++bit) any.at(bit + 1) = static_cast<int>(own >> bit & 1U);
  session_.comm().allreduce(std::span<int>(any), Reduction::max);
  wishes_ = 0;
  for (std::size_t bit = 0; bit < 3; ++bit) wishes_ |= static_cast<unsigned>(any.at(bit + 1)) << bit;
  return any[0] != 0;
}

void PairTraining::run() {
  if (const auto checkpoint = session_.resume()) {
    step_ = checkpoint->step;
    unpack(values_of(checkpoint->tensors, "pairs"));
  }
  const Communicator& comm = session_.comm();
  bool more = true;
  while (more) {
    if (shared_) {
      advance();
    } else {
      comm.agree([&] {
        const auto until = Clock::now() + between_meetings;
        while (done_ < own_.size() && Clock::now() < until) {
          advance();
          if (stop_was_signalled()) break;
        }
      });
    }
    more = meet();
    ++step_;
    session_.progress(!more, [&] { return line(); });
    if (!more) break;
    session_.after_step(step_, wishes_, [&] {
      gather();
      storage::Checkpoint checkpoint;
      checkpoint.tensors = {vector_tensor("pairs", packed_states(every_))};
      return checkpoint;
    });
  }
  gather();
}

std::string PairTraining::line() const {
  const std::uint64_t iterations = std::accumulate(
      own_.begin(), own_.end(), std::uint64_t{0},
      [&](std::uint64_t sum, std::size_t pair) { return sum + pairs_[pair].state.iterations; });
  return fmt::format("{} of {} pairs of classes{} solved, {} iterations", done_, own_.size(),
                     workers_.size() < session_.comm().size() ? " on this rank" : "", iterations);
}

/// Of each pair that was begun: its number, iterations, whether it has ended, the length of its working set;
/// then alpha, gradient and working set.
std::vector<double> PairTraining::packed_states(std::span<const std::size_t> which) const {
  std::vector<double> packed;
  for (const std::size_t i : which) {
    const SvmState& state = pairs_[i].state;
    if (state.alpha.empty()) continue;
    packed.insert(packed.end(), {static_cast<double>(i), static_cast<double>(state.iterations),
                                 state.ended ? 1.0 : 0.0, static_cast<double>(state.working.size())});
    packed.insert(packed.end(), state.alpha.begin(), state.alpha.end());
    packed.insert(packed.end(), state.gradient.begin(), state.gradient.end());
    packed.insert(packed.end(), state.working.begin(), state.working.end());
  }
  return packed;
}

[[noreturn]] void refuse_svm_checkpoint() {
  throw storage::Error(
      "the checkpoint holds other pairs of classes than this training has. Remove it, and train anew");
}

/// A checkpoint may be anybody's: no number of it is an index before it has been looked at.
void PairTraining::unpack(const std::vector<double>& packed) {
  std::size_t at = 0;
  const auto next = [&](std::size_t below) {
    const double value = at < packed.size() ? packed[at++] : -1;
    if (!(value >= 0 && value < static_cast<double>(below))) refuse_svm_checkpoint();
    return static_cast<std::size_t>(value);
  };
  const auto take = [&](std::size_t count) {
    if (packed.size() - at < count) refuse_svm_checkpoint();
    const auto from = packed.begin() + static_cast<std::ptrdiff_t>(at);
    at += count;
    return std::vector<double>(from, from + static_cast<std::ptrdiff_t>(count));
  };
  while (at < packed.size()) {
    SvmPair& pair = pairs_[next(pairs_.size())];
    const std::size_t rows = pair.problem.rows.size();
    pair.state.iterations = next(std::size_t{1} << 53U);
    pair.state.ended = next(2) == 1;
    const std::size_t working = next(rows + 1);
    pair.state.alpha = take(rows);
    pair.state.gradient = take(rows);
    pair.state.working.clear();
    for (std::size_t i = 0; i < working; ++i) pair.state.working.push_back(next(rows));
  }
}

/// Everybody gets all states.
void PairTraining::gather() {
  if (solver_) pairs_[own_[done_]].state = solver_->state();
  if (shared_) return;
  const std::vector<double> own = packed_states(own_);
  unpack(session_.comm().allgatherv(std::span<const double>(own)));
}

}  // namespace

void solve_pairs(Session& session, const kernels::Matrix<kernels::Device>& all,
                 const kernels::KernelFunction& function, std::vector<SvmPair>& pairs, std::uint64_t cache) {
  PairTraining(session, all, function, pairs, cache).run();
}

}  // namespace kernmill::tasks
