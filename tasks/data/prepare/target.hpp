#pragma once
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/prepare/settings.hpp"

namespace kernmill::tasks {

/// What a target column turned out to be. A rank without rows agrees with the others.
struct Target {
  storage::TargetKind kind = storage::TargetKind::none;
  std::vector<std::string> classes;  ///< sorted: as numbers when all are whole numbers, else as texts
  std::vector<double> values;        ///< class indices, or numbers
  bool mixed = false;                ///< numbers and texts side by side: nobody can tell; the rest is unset
};

/// Collective: the distinct texts of all ranks, sorted.
std::vector<std::string> distinct_texts(const Communicator& comm, const std::vector<std::string>& texts);

/// Collective. `texts` are the column's distinct values on this rank; `values` are theirs. `type` is not
/// number. Automatic: texts are classes, whole numbers are classes, other numbers are numbers. "1" and
/// "1.0" are the same class when all values are whole numbers.
Target make_target(const Communicator& comm, const std::vector<std::string>& texts, TargetType type);

}  // namespace kernmill::tasks
