#pragma once
#include <string>

namespace kernmill {

/// A word in single quotes, as a POSIX shell has to be given it to take it literally.
std::string quoted_for_shell(const std::string& word);

}  // namespace kernmill
