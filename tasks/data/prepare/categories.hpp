#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/read/dictionary.hpp"

namespace kernmill::tasks {

/// The categories of a column. Spellings of one number are one category: 1, 1.0 and 1e0. It is called by the
/// shortest spelling that occurs, by the first in order of several.
struct Categories {
  std::vector<std::string> texts;                              ///< sorted
  std::vector<std::pair<std::string, std::string>> respelled;  ///< another spelling, and what it is taken for
};

/// Collective: those of all ranks.
Categories distinct_categories(const Communicator& comm, const Dictionary& column);

/// From the codes of this rank's texts to their places among the categories.
std::vector<double> places_in(const Categories& categories, const Dictionary& column);

/// What is to be said of a column that spells categories in several ways; empty: nothing.
std::string note_of_spellings(const Categories& categories, const std::string& column);

}  // namespace kernmill::tasks
