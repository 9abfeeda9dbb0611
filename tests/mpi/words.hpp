#pragma once
#include <filesystem>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::testing {

/// Rows as texts give them: a few of many features each, most of them rare. The same ones as those of
/// reference_words.py.
struct Words {
  std::uint64_t features = 0;
  storage::SparseRows rows;
  std::vector<double> classes, numbers;  ///< two targets
};
Words make_words(std::uint64_t rows, std::uint64_t features);

enum class WordTarget { classes, numbers };

/// Collective. Every fifth row is a test row, the others are for training.
void write_words(const tasks::Communicator& comm, const std::filesystem::path& file, const Words& words,
                 const storage::Encoding& encoding, WordTarget target = WordTarget::classes);

}  // namespace kernmill::testing
