#include "kernmill/workflow/value/json_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kernmill {
namespace {

bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && c == '\\')
      ++at;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > deepest_json)
      return true;
    else if (!quoted && (c == ']' || c == '}'))
      --depth;
  }
  return false;
}

}  // namespace

std::string plain_words(const std::exception& error) {
  const std::string_view what = error.what();
  const std::size_t name = what.starts_with("[json.exception.") ? what.find("] ") : std::string_view::npos;
  return std::string(name == std::string_view::npos ? what : what.substr(name + 2));
}

Json parse_json(std::string_view text) {
  if (is_too_deep(text))
    throw std::invalid_argument(fmt::format("its values are nested deeper than {} levels", deepest_json));
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw std::invalid_argument(plain_words(error));
  }
}

Json json_or_nothing(std::string_view text) {
  if (is_too_deep(text)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string text_in(const Json& map, const char* key, const std::string& fallback) {
  const auto found = map.is_object() ? map.find(key) : map.end();
  return found != map.end() && found->is_string() ? found->get<std::string>() : fallback;
}

std::int64_t number_in(const Json& map, const char* key, std::int64_t fallback) {
  const auto found = map.is_object() ? map.find(key) : map.end();
  return found != map.end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
}

}  // namespace kernmill
