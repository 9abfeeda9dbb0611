#include "kernmill/tasks/learn/svm/svm_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;

constexpr double unbounded = std::numeric_limits<double>::infinity();
constexpr std::size_t working_rows = 256;  // at a time
// Of these are new: more of them make fewer steps, but compute kernels of rows that turn out to be of no
// weight.
constexpr std::size_t fresh_rows = 64;
// How much of the violation is left for the next step: what is worked on more exactly is worked on in vain.
constexpr double share_left = 0.1;
constexpr std::uint64_t iterations_a_step = 100'000;  // a request to stop is heard between steps

bool may_rise(const SvmProblem& problem, double alpha, std::size_t i) {
  return problem.signs[i] > 0 ? alpha < problem.limits[i] : alpha > 0;
}
bool may_fall(const SvmProblem& problem, double alpha, std::size_t i) {
  return problem.signs[i] > 0 ? alpha > 0 : alpha < problem.limits[i];
}

std::vector<std::uint64_t> part_of(const std::vector<std::uint64_t>& rows, storage::IndexRange range) {
  return {rows.begin() + static_cast<std::ptrdiff_t>(range.begin),
          rows.begin() + static_cast<std::ptrdiff_t>(range.end)};
}

std::uint64_t rows_in(std::uint64_t bytes, std::size_t columns) {
  return std::max<std::uint64_t>(working_rows, bytes / (std::max<std::size_t>(1, columns) * sizeof(double)));
}

/// The first `most` by `before`.
template <class Candidates, class Before>
void keep_first(Candidates& candidates, std::size_t most, const Before& before) {
  const std::size_t kept = std::min(most, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates.end(), before);
  candidates.resize(kept);
}

// What is no number comes first: it must not be overlooked.
const auto higher = [](const auto& a, const auto& b) {
  if (std::isnan(a.level) != std::isnan(b.level)) return std::isnan(a.level);
  return a.level > b.level || a.level < b.level ? a.level > b.level : a.row < b.row;
};
const auto lower = [](const auto& a, const auto& b) {
  if (std::isnan(a.level) != std::isnan(b.level)) return std::isnan(a.level);
  return a.level > b.level || a.level < b.level ? a.level < b.level : a.row < b.row;
};

[[noreturn]] void refuse_overflow() {
  throw TaskError("the kernel of two training rows is too large for a number", {},
                  "scale the features (scale: standard in the preprocess stage), or lower model.degree or "
                  "model.gamma");
}

/// sums(j) += factors(w) * values(places(w), j) for each w, in their order.
void add_rows(const kernels::Matrix<Device>& values, const std::vector<std::size_t>& places,
              const std::vector<double>& factors, std::vector<double>& sums) {
  auto on_device = Kokkos::create_mirror_view_and_copy(Device::memory_space(),
                                                       kernels::host_vector(sums.data(), sums.size()));
  for (std::size_t w = 0; w < places.size(); ++w) {
    const double factor = factors[w];
    const double* const row = values.data() + places[w] * values.extent(1);
    Kokkos::parallel_for(
        "kernmill_add_kernel_row", kernels::Range<Device>(Device(), 0, sums.size()),
        KOKKOS_LAMBDA(const std::size_t j) { on_device(j) += factor * row[j]; });
  }
  Kokkos::deep_copy(kernels::host_vector(sums.data(), sums.size()), on_device);
}

}  // namespace

SvmSolver::SvmSolver(const Communicator& comm, const kernels::Matrix<Device>& all,
                     const kernels::KernelFunction& function, SvmProblem problem, std::uint64_t cache)
    : comm_(comm),
      problem_(std::move(problem)),
      own_(storage::even_share(problem_.rows.size(), comm.rank(), comm.size())),
      cache_(all, function, problem_.rows, part_of(problem_.rows, own_), rows_in(cache, own_.count())) {
  state_.alpha.assign(problem_.rows.size(), 0.0);
  state_.gradient.assign(own_.count(), -1.0);
}

void SvmSolver::restore(const SvmState& state) {
  state_ = state;
  state_.gradient.assign(state.gradient.begin() + static_cast<std::ptrdiff_t>(own_.begin),
                         state.gradient.begin() + static_cast<std::ptrdiff_t>(own_.end));
}

double SvmSolver::Violators::gap() const {
  return up.empty() || low.empty() ? 0 : up.front().level - low.front().level;
}

SvmSolver::Violators SvmSolver::violators() const {
  Violators own;
  for (std::uint64_t i = own_.begin; i < own_.end; ++i) {
    const Candidate candidate{-problem_.signs[i] * state_.gradient[i - own_.begin], i};
    if (may_rise(problem_, state_.alpha[i], i)) own.up.push_back(candidate);
    if (may_fall(problem_, state_.alpha[i], i)) own.low.push_back(candidate);
  }
  keep_first(own.up, working_rows, higher);
  keep_first(own.low, working_rows, lower);
  if (comm_.size() == 1) return own;
  std::vector<double> packed{static_cast<double>(own.up.size())};
  for (const auto* candidates : {&own.up, &own.low})
    for (const Candidate& candidate : *candidates)
      packed.insert(packed.end(), {candidate.level, static_cast<double>(candidate.row)});
  const std::vector<std::uint64_t> counts(static_cast<std::size_t>(comm_.size()), 1 + 4 * working_rows);
  packed.resize(counts.front(), -1.0);  // no row has that number
  const std::vector<double> gathered = comm_.allgatherv(std::span<const double>(packed), counts);
  Violators all;
  for (std::size_t first = 0; first < gathered.size(); first += counts.front()) {
    const auto ups = static_cast<std::size_t>(gathered[first]);
    for (std::size_t i = 0; i < 2 * working_rows; ++i) {
      const double level = gathered[first + 1 + 2 * i], row = gathered[first + 2 + 2 * i];
      if (row >= 0) (i < ups ? all.up : all.low).push_back({level, static_cast<std::uint64_t>(row)});
    }
  }
  keep_first(all.up, working_rows, higher);
  keep_first(all.low, working_rows, lower);
  return all;
}

void SvmSolver::choose(const Violators& violators) {
  const std::vector<std::uint64_t> before = std::move(state_.working);
  state_.working.clear();
  std::unordered_set<std::uint64_t> taken;
  const auto take = [&](std::uint64_t row) {
    if (state_.working.size() < working_rows && taken.insert(row).second) state_.working.push_back(row);
  };
  for (std::size_t i = 0; i < working_rows && state_.working.size() < fresh_rows; ++i) {
    if (i < violators.up.size()) take(violators.up[i].row);
    if (i < violators.low.size()) take(violators.low[i].row);
  }
  const auto is_free = [&](std::uint64_t row) {
    return state_.alpha[row] > 0 && state_.alpha[row] < problem_.limits[row];
  };
  for (const bool free : {true, false})
    for (const std::uint64_t row : before)
      if (is_free(row) == free) take(row);
}

/// What all ranks have of the rows that are worked on, from what each has of its own columns.
std::vector<double> SvmSolver::gather_working(std::span<const double> own_columns) const {
  const std::size_t n = state_.working.size(), height = n + 1;
  if (comm_.size() == 1) return {own_columns.begin(), own_columns.end()};
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(comm_.size()), 0);
  std::vector<std::size_t> owner(n);
  for (std::size_t i = 0; i < n; ++i) {
    owner[i] =
        static_cast<std::size_t>(storage::owner_of(state_.working[i], problem_.rows.size(), comm_.size()));
    counts[owner[i]] += height;
  }
  const std::vector<double> gathered = comm_.allgatherv(own_columns, std::span<const std::uint64_t>(counts));
  std::vector<std::size_t> next(counts.size(), 0);
  for (std::size_t rank = 1; rank < next.size(); ++rank) next[rank] = next[rank - 1] + counts[rank - 1];
  std::vector<double> columns;
  columns.reserve(gathered.size());
  for (std::size_t i = 0; i < n; ++i) {
    const auto from = gathered.begin() + static_cast<std::ptrdiff_t>(next[owner[i]]);
    columns.insert(columns.end(), from, from + static_cast<std::ptrdiff_t>(height));
    next[owner[i]] += height;
  }
  return columns;
}

Subproblem SvmSolver::subproblem() {
  const std::vector<std::size_t>& places = cache_.hold(state_.working);
  const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), cache_.values());
  const std::size_t n = state_.working.size();
  std::vector<double> columns;
  for (const std::uint64_t row : state_.working) {
    if (row < own_.begin || row >= own_.end) continue;
    for (const std::size_t place : places) columns.push_back(values(place, row - own_.begin));
    columns.push_back(state_.gradient[row - own_.begin]);
  }
  columns = gather_working(columns);
  if (!std::all_of(columns.begin(), columns.end(), [](double value) { return std::isfinite(value); }))
    refuse_overflow();
  Subproblem problem;
  problem.kernel.reserve(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto column = columns.begin() + static_cast<std::ptrdiff_t>(i * (n + 1));
    problem.kernel.insert(problem.kernel.end(), column, column + static_cast<std::ptrdiff_t>(n));
    problem.gradient.push_back(column[static_cast<std::ptrdiff_t>(n)]);
    const std::uint64_t row = state_.working[i];
    problem.signs.push_back(problem_.signs[row]);
    problem.limits.push_back(problem_.limits[row]);
    problem.alpha.push_back(state_.alpha[row]);
  }
  return problem;
}

void SvmSolver::follow(const Subproblem& solved) {
  std::vector<std::size_t> places;
  std::vector<double> factors;
  const std::vector<std::size_t>& held = cache_.hold(state_.working);
  for (std::size_t i = 0; i < state_.working.size(); ++i) {
    double& alpha = state_.alpha[state_.working[i]];
    if (solved.alpha[i] == alpha) continue;
    places.push_back(held[i]);
    factors.push_back((solved.alpha[i] - alpha) * solved.signs[i]);
    alpha = solved.alpha[i];
  }
  std::vector<double> change(own_.count(), 0.0);
  add_rows(cache_.values(), places, factors, change);
  for (std::size_t j = 0; j < change.size(); ++j)
    state_.gradient[j] += problem_.signs[own_.begin + j] * change[j];
}

bool SvmSolver::step() {
  if (state_.ended) return false;
  const Violators now = violators();
  const double gap = now.gap();
  if (!std::isfinite(gap)) refuse_overflow();
  state_.ended = gap <= problem_.tolerance || state_.iterations >= most_iterations(problem_);
  if (state_.ended) return false;
  choose(now);
  Subproblem part = subproblem();
  const bool is_all = state_.working.size() == problem_.rows.size();
  const double tolerance = is_all ? problem_.tolerance : std::max(problem_.tolerance, share_left * gap);
  state_.iterations += solve(part, tolerance, iterations_a_step);
  follow(part);
  return true;
}

std::uint64_t most_iterations(const SvmProblem& problem) {
  return std::max<std::uint64_t>(10'000'000, 100 * problem.rows.size());
}

SvmState SvmSolver::state() const {
  SvmState whole = state_;
  if (comm_.size() > 1) {
    std::vector<std::uint64_t> counts;
    counts.reserve(static_cast<std::size_t>(comm_.size()));
    for (int rank = 0; rank < comm_.size(); ++rank)
      counts.push_back(storage::even_share(problem_.rows.size(), rank, comm_.size()).count());
    whole.gradient =
        comm_.allgatherv(std::span<const double>(state_.gradient), std::span<const std::uint64_t>(counts));
  }
  return whole;
}

SvmSolution solution_of(const SvmProblem& problem, const SvmState& state) {
  SvmSolution solution;
  double free_sum = 0, highest = -unbounded, lowest = unbounded;
  std::uint64_t free = 0;
  for (std::size_t i = 0; i < problem.rows.size(); ++i) {
    solution.objective += state.alpha[i] * (state.gradient[i] - 1) / 2;
    const double level = problem.signs[i] * state.gradient[i];
    const bool rises = may_rise(problem, state.alpha[i], i), falls = may_fall(problem, state.alpha[i], i);
    if (rises && falls) {
      ++free;
      free_sum += level;
    } else if (rises) {
      lowest = std::min(lowest, level);
    } else {
      highest = std::max(highest, level);
    }
  }
  // Without free rows any bias between is right; libsvm, too, takes the middle.
  solution.bias = free > 0 ? free_sum / static_cast<double>(free) : (highest + lowest) / 2;
  return solution;
}

}  // namespace kernmill::tasks
