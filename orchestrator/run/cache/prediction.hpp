#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/cache/cache.hpp"
#include "kernmill/run/cache/recipe.hpp"

namespace kernmill {

/// What will become of an instance, and why.
struct Decision {
  enum class What { runs, cached, skipped };
  What what = What::runs;
  std::string reason;                       ///< "no earlier result", "input data/iris.csv changed", ...
  std::shared_ptr<const CacheEntry> entry;  ///< of a cached one
};
/// "runs: no earlier result", "cached: same task, configuration, inputs and program as in <run>"
std::string to_string(const Decision& decision);

/// Decides about one instance of a run under way: with `result_of` its parents' results, and with
/// `leavings_of` those of whole stages.
Decision decide(const Plan& plan, InstanceId id, const ResultOf& result_of, Cache& cache,
                DigestStore& digests, const ProgramDigests& programs, const LeavingsOf& leavings_of = {});

struct PredictOptions {
  bool no_cache = false;
};

/// What is known of a whole plan before anything has run: an instance whose parents are cached has known
/// inputs, and so may be cached too. Stages of which no instance can be cached cost the same for one instance
/// as for a million.
class CachePrediction {
 public:
  [[nodiscard]] const Decision& of(InstanceId id) const;
  [[nodiscard]] std::uint32_t count(std::uint32_t stage, Decision::What what) const;
  /// The decision that all instances of the stage share, if they do.
  [[nodiscard]] const Decision* shared(std::uint32_t stage) const;

 private:
  friend CachePrediction predict(const Plan&, Cache&, DigestStore&, const ProgramDigests&,
                                 const PredictOptions&);
  struct StageDecisions {
    std::uint32_t instances = 0;
    std::optional<Decision> shared;
    std::vector<Decision> each;  ///< when they share none
  };
  std::vector<StageDecisions> stages_;
};

CachePrediction predict(const Plan& plan, Cache& cache, DigestStore& digests, const ProgramDigests& programs,
                        const PredictOptions& options = {});

}  // namespace kernmill
