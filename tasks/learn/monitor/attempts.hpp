#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/storage/history/history.hpp"

namespace kernmill::tasks {

/// The lines of attempts at one training, as their files have them: the oldest first.
struct Attempts {
  std::vector<std::string> texts;
  /// Those of the attempts before number `attempt`, whose directories lie beside this one's
  /// (stages/<stage>/<instance>/attempt-<n>), as far as they can be read.
  static Attempts before(const std::filesystem::path& directory, int attempt);
  /// Whether one of them ended since its numbers were not finite any more.
  [[nodiscard]] bool diverged() const;
};

/// The content of a file; empty where it cannot be read.
std::string text_of_lines(const std::filesystem::path& file);

/// One table of all of them, with a column for each number: what was computed twice counts as the later
/// attempt has it. A part of a line, and what is no line, is passed over.
storage::History history_of(const Attempts& attempts);

}  // namespace kernmill::tasks
