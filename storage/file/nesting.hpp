#pragma once
#include <cstddef>
#include <string_view>

namespace kernmill::storage {

/// Whether brackets of a JSON text nest deeper: what walks through such a value, level by level on the stack,
/// would come to its end.
inline bool nests_deeper_than(std::string_view json, std::size_t levels) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == '[' || c == '{')) {
      if (++depth > levels) return true;
    } else if (!in_text && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// More than any settings that Kernmill writes have.
inline constexpr std::size_t most_levels = 100;

}  // namespace kernmill::storage
