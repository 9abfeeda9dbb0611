#pragma once
#include <string>
#include <utility>
#include <vector>

namespace kernmill {

/// Words of a command line of sbatch, as options.
struct SbatchOptions {
  using List = std::vector<std::pair<std::string, std::string>>;
  List options;                     ///< {"nice", "5"}; the value may be empty
  std::vector<std::string> strays;  ///< words that are no long option, nor the value of one
};

/// Takes `--nice=5`, `--exclusive`, `--mail-type END` apart; a text may have several.
SbatchOptions read_sbatch_options(const std::vector<std::string>& texts);
/// What `read_sbatch_options` reads back, a word to a text.
std::vector<std::string> to_words(const SbatchOptions& options);

}  // namespace kernmill
