#include "kernmill/workflow/text/unicode.hpp"

#include <algorithm>

namespace kernmill {
namespace {

bool in(char32_t point, char32_t low, char32_t high) {
  return low <= point && point <= high;
}

/// Bytes of a sequence by its first byte; 0 for a byte that cannot begin one.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

}  // namespace

std::optional<CodePoint> decode(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = sequence_length(lead);
  if (length == 0 || length > text.size()) return std::nullopt;
  if (length == 1) return CodePoint{lead, 1};
  char32_t point = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0u) != 0x80u) return std::nullopt;
    point = (point << 6u) | (byte & 0x3Fu);
  }
  const char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10FFFF || in(point, 0xD800, 0xDFFF)) return std::nullopt;
  return CodePoint{point, length};
}

std::size_t first_invalid_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto point = decode(text.substr(at));
    if (!point || point->value == 0) return at;
    at += point->bytes;
  }
  return std::string_view::npos;
}

std::size_t character_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    const auto point = decode(text.substr(at));
    at += point ? point->bytes : 1;
  }
  return count;
}

bool is_control(char32_t point) {
  return point < 0x20 || in(point, 0x7F, 0x9F) || in(point, 0x202A, 0x202E) || in(point, 0x2066, 0x2069);
}

namespace {

std::string without_control(std::string_view text, std::string_view kept) {
  std::string result;
  while (!text.empty()) {
    const auto point = decode(text);
    const std::size_t bytes = point ? point->bytes : 1;
    const bool stays = point && (!is_control(point->value) || kept.find(text[0]) != std::string_view::npos);
    result += stays ? text.substr(0, bytes) : std::string_view("\uFFFD");
    text.remove_prefix(bytes);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  return without_control(text, "\t\n");
}

std::string printable_line(std::string_view text) {
  return without_control(text, "");
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
}

std::size_t terminal_width(char32_t point) {
  if (in(point, 0x300, 0x36F) || in(point, 0x200B, 0x200F) || in(point, 0xFE00, 0xFE0F)) return 0;
  const bool wide = in(point, 0x1100, 0x115F) || in(point, 0x2E80, 0xA4CF) || in(point, 0xAC00, 0xD7A3) ||
                    in(point, 0xF900, 0xFAFF) || in(point, 0xFE30, 0xFE6F) || in(point, 0xFF00, 0xFF60) ||
                    in(point, 0x1F300, 0x1FAFF) || in(point, 0x20000, 0x3FFFD);
  return wide ? 2 : 1;
}

}  // namespace kernmill
