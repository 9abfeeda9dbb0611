#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/plan/index_ranges.hpp"
#include "kernmill/plan/plan.hpp"

namespace kernmill {

/// Stands for the closing job where others have the key of their array.
inline constexpr const char* closing_key = "close";

/// Stands for the job that goes on when `stage` has decided instances of others: no array has such a key.
std::string growth_key(std::string_view stage);
/// The stage of such a key; nothing for another key.
std::optional<std::string> stage_of_growth(std::string_view key);

/// One job array (or one plain job) that carries out instances of a stage.
struct ArrayPlan {
  struct Wait {
    enum class Kind {
      corresponding,  ///< aftercorr: element e for element e
      success,        ///< afterok: until all of it has succeeded
      end,            ///< afterany: until all of it has ended, however; the job itself looks who committed
    };
    std::string array;  ///< key of the array waited for
    Kind kind = Kind::success;
    friend bool operator==(const Wait&, const Wait&) = default;
  };
  std::string key;  ///< "fit.0": the stage and a number
  std::uint32_t stage = 0;
  IndexRanges instances;
  std::uint32_t first = 0;  ///< without packing, the element of instance i is i - first
  std::uint32_t pack = 1;   ///< instances in an element; above 1, element e has those from rank e * pack on
  std::uint32_t slots = 1;  ///< how many of them run side by side
  unsigned attempt = 1;     ///< number of the first attempt; each restart of the job makes it one more
  Resources resources;      ///< of an element
  std::uint32_t max_parallel = 0;  ///< elements at once; 0: no bound
  std::vector<Wait> waits;
  std::vector<std::string> after_jobs;  ///< jobs of an earlier generation that have to end first
  bool is_array = false;  ///< a job array, perhaps of one element; else a plain job, whose element is 0

  [[nodiscard]] std::uint32_t elements() const;
  /// The indices of its elements, as --array takes them: "0-76,78-99".
  [[nodiscard]] IndexRanges element_indices() const;
  /// The instances of an element.
  [[nodiscard]] IndexRanges instances_of(std::uint32_t element) const;
  [[nodiscard]] std::uint32_t element_of(std::uint32_t instance) const;
};

/// As sbatch spells it: aftercorr, afterok, afterany.
std::string_view to_string(ArrayPlan::Wait::Kind kind);

/// What the jobs of a plan depend on beside the plan.
struct JobPlanOptions {
  std::uint32_t max_array_size = 1001;  ///< indices are below it
  std::uint32_t node_cpus = 0;          ///< CPUs of the smallest node that packs may get; 0: not known
  std::uint64_t node_mem = 0;           ///< bytes of that node
  std::uint32_t nodes = 0;              ///< how many there are
  std::chrono::seconds max_time{0};     ///< of an element; 0: no limit is known
  /// The instances that need a job; empty: all.
  std::function<bool(InstanceId)> needed = {};
  /// Jobs that still carry out instances of a stage; empty: none.
  std::function<std::vector<std::string>(std::uint32_t stage)> live_jobs = {};
  /// The number of the next attempt; empty: 1.
  std::function<unsigned(InstanceId)> next_attempt = {};
};

/// The jobs that carry out a plan, those waited for first. None of stages that are not decided yet or whose
/// list cannot be used, and of those that wait for them. Pure.
std::vector<ArrayPlan> plan_jobs(const Plan& plan, const JobPlanOptions& options);

Json to_json(const ArrayPlan& array, const Plan& plan);
/// Throws std::invalid_argument, std::out_of_range or Json::exception when it is no array of this plan.
ArrayPlan array_from_json(const Json& json, const Plan& plan);

}  // namespace kernmill
