#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"

namespace kernmill::tasks {

/// Classes that only validation and test samples have: nobody can learn them.
struct UntrainedClasses {
  std::size_t count = 0;
  std::string warning;  ///< the first of them, and where it stands in the input; empty: there is none
};

/// Collective. The input is read again where there are such classes.
UntrainedClasses find_untrained_classes(const Communicator& comm, const Input& input,
                                        const std::vector<std::string>& missing, const Samples& samples,
                                        const std::vector<storage::Part>& parts,
                                        const storage::Schema& schema);

}  // namespace kernmill::tasks
