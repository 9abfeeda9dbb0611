#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// Reads JSON that anybody may have written: one nested deeper than this would overflow the stack of what
/// copies it.
inline constexpr int deepest_json = 500;

/// Throws std::invalid_argument in plain words: what is wrong, and at which line and column.
Json parse_json(std::string_view text);

/// The same; a discarded value, which is of no type, when it is no such JSON.
Json json_or_nothing(std::string_view text);

/// The text or number at a key of a map; the fallback when there is none, or it is of another type.
std::string text_in(const Json& map, const char* key, const std::string& fallback = {});
std::int64_t number_in(const Json& map, const char* key, std::int64_t fallback = 0);

/// What an exception of the JSON library says, without its own name and number.
std::string plain_words(const std::exception& error);

}  // namespace kernmill
