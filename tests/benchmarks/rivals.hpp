#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// The number that a command line has at this place, or another one. Ends the program when there is none.
std::uint64_t number_argument(int argc, char** argv, int place, std::uint64_t otherwise);

double median(std::vector<double> values);
double fastest(const std::vector<double>& seconds);

/// Seconds that the slowest rank took.
template <class Work>
double seconds_of(const Communicator& comm, const Work& work) {
  MPI_Barrier(comm.handle());
  const auto start = std::chrono::steady_clock::now();
  work();
  const double own = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return comm.allreduce(own, Reduction::max);
}

/// Ways to do the same thing, measured in turn: what else the machine does, it does to all of them. Each
/// round begins with another one.
class Rivals {
 public:
  /// How fast a rival is to be beside an earlier one: 0.9 is nine tenths of its speed.
  struct Goal {
    std::size_t rival;
    double speed;
  };
  explicit Rivals(const Communicator& comm) : comm_(comm) {}
  /// `seconds` is called by every rank, prepares and cleans up as it likes, and returns what counts.
  std::size_t add(std::string name, std::function<double()> seconds, std::optional<Goal> goal = {});
  /// After a round that does not count.
  void race(int rounds);
  /// Median and fastest time of each; of those with a goal the median of the rounds' ratios, and the ratio of
  /// the fastest times, which a busy machine disturbs least.
  void print(const std::string& title) const;
  [[nodiscard]] const std::vector<double>& rounds(std::size_t rival) const { return rivals_[rival].rounds; }

 private:
  struct Rival {
    std::string name;
    std::function<double()> seconds;
    std::optional<Goal> goal;
    std::vector<double> rounds;
  };
  void print(const Rival& rival) const;

  const Communicator& comm_;
  std::vector<Rival> rivals_;
};

}  // namespace kernmill::tasks
