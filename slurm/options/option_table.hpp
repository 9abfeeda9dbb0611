#pragma once
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/slurm/options/job_request.hpp"

namespace kernmill::slurm {

/// One long option of sbatch.
struct Option {
  enum class Value { none, optional, required };
  std::string_view name;
  Value value = Value::required;
  /// Puts the value into the request; throws std::invalid_argument that says what was expected.
  std::function<void(JobRequest& request, const std::string& value, std::time_t now)> set;
};

/// Every option that a job may carry.
const std::vector<Option>& option_table();

}  // namespace kernmill::slurm
