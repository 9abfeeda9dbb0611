#include "kernmill/tasks/learn/train/sampled_hessian.hpp"

#include <algorithm>

#include "kernmill/tasks/support/lapack.hpp"

namespace kernmill::tasks {
namespace {

using Values = std::vector<double>;

/// Twice as many as there are numbers to find, and some more where these are few.
std::size_t rows_of(std::size_t width) {
  return 2 * width + 512;
}

/// The mean over the outputs of each input's entries.
Values means(const Values& x, std::size_t outputs) {
  Values out(x.size() / outputs, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) out[i / outputs] += x[i];
  for (double& value : out) value /= static_cast<double>(outputs);
  return out;
}

}  // namespace

bool SampledHessian::fits(std::size_t parameters, std::size_t outputs) {
  constexpr std::size_t most = std::size_t{1} << 24U;
  return parameters / outputs <= most / parameters;
}

double SampledHessian::bytes(std::size_t parameters, std::size_t outputs, int ranks) {
  if (!fits(parameters, outputs)) return 0;
  const std::size_t width = parameters / outputs,
                    most_ranks = std::min<std::size_t>(outputs, static_cast<std::size_t>(ranks));
  const std::size_t own = (outputs + most_ranks - 1) / most_ranks;
  return static_cast<double>(sizeof(float) * own * width * (width + rows_of(width)));
}

void SampledHessian::take(const Values& scale) {
  const std::size_t width = scale.size() / outputs();
  scale_ = scale;
  factors_.clear();
  std::vector<std::vector<float>> own = objective_.sample(rows_of(width), scale);
  for (std::size_t j = 0; j < outputs(); ++j) {
    std::vector<std::uint64_t> to(static_cast<std::size_t>(comm_.size()), 0), from;
    to[static_cast<std::size_t>(owner(j))] = own[j].size();
    own[j] = comm_.alltoallv(std::span<const float>(own[j]), std::span<const std::uint64_t>(to), from);
  }
  comm_.agree([&] {
    for (std::size_t j = 0; j < outputs(); ++j) {
      if (owner(j) != comm_.rank()) continue;
      std::vector<float> added;
      for (std::size_t i = j; i < scale.size(); i += outputs())
        added.push_back(static_cast<float>(penalties_[i] * scale[i] * scale[i]));
      factors_.push_back(gram_factor(own[j], added));
      own[j] = {};
    }
  });
}

// The cross-entropy does not change where all outputs get the same. There its Hessian is the penalty's, which
// the outputs by themselves do not show.
Values SampledHessian::solve(const Values& residual) const {
  const std::size_t width = residual.size() / outputs();
  const bool shifts = outputs() > objective_.blocks();
  const Values shift = shifts ? means(residual, outputs()) : Values(width, 0.0);
  Values solved;
  for (std::size_t j = 0, own = 0; j < outputs(); ++j) {
    if (owner(j) != comm_.rank()) continue;
    std::vector<float> b;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = i * outputs() + j;
      b.push_back(static_cast<float>((residual[at] - shift[i]) * scale_[at]));
    }
    solve_factored(factors_[own++], b);
    solved.insert(solved.end(), b.begin(), b.end());
  }
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(comm_.size()), 0);
  for (std::size_t j = 0; j < outputs(); ++j) counts[static_cast<std::size_t>(owner(j))] += width;
  const Values all =
      comm_.allgatherv(std::span<const double>(solved), std::span<const std::uint64_t>(counts));
  Values out(residual.size());
  std::size_t from = 0;
  for (int rank = 0; rank < comm_.size(); ++rank)
    for (auto j = static_cast<std::size_t>(rank); j < outputs(); j += static_cast<std::size_t>(comm_.size()))
      for (std::size_t i = 0; i < width; ++i)
        out[i * outputs() + j] = all[from++] * scale_[i * outputs() + j];
  if (!shifts) return out;
  const Values shifted = means(out, outputs());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t input = i / outputs();
    out[i] += (penalties_[i] > 0 ? shift[input] / penalties_[i] : 0.0) - shifted[input];
  }
  return out;
}

}  // namespace kernmill::tasks
