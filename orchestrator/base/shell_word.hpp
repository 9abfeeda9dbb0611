#pragma once
#include <string>

namespace kernmill {

/// A word in single quotes, as a POSIX shell has to be given it to take it literally.
std::string quoted_for_shell(const std::string& word);

/// The word as it is where a shell takes it literally, else in such quotes: what a person may copy.
std::string word_for_shell(const std::string& word);

}  // namespace kernmill
