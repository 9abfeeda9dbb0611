#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kernmill {

/// The candidate nearest to `word` by edit distance (case and '-' or '_' count for nothing), or empty when
/// none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean 'x'?", or empty. `shown` is how the nearest one, `{}` there, is written.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view shown = "'{}'");

}  // namespace kernmill
