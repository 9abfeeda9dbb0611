#pragma once
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/prepare/settings.hpp"
#include "kernmill/tasks/data/read/dictionary.hpp"

namespace kernmill::tasks {

/// What a target column turned out to be. A rank without rows agrees with the others.
struct Target {
  storage::TargetKind kind = storage::TargetKind::none;
  std::vector<std::string> classes;  ///< sorted: as numbers when all are whole numbers, else as texts
  std::vector<double> values;        ///< class indices, or numbers
  bool mixed = false;                ///< numbers with what is none beside them: the rest is unset
  std::string respelled{};           ///< what is to be said of classes in several spellings
};

/// Collective. `column` has the column's texts on this rank; Target's values are theirs. `type` is not
/// number. Automatic: texts are classes, whole numbers are classes, other numbers are numbers. Spellings of
/// one number are one class (categories.hpp); that of whole numbers alone is called by its digits, however
/// many they are.
Target make_target(const Communicator& comm, const Dictionary& column, const std::string& name,
                   TargetType type);

}  // namespace kernmill::tasks
