#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kernmill {

/// One code point read from UTF-8, and how many bytes it took.
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};

/// The code point at the beginning of `text`, or nothing when the bytes there are not UTF-8.
std::optional<CodePoint> decode(std::string_view text);

/// The offset of the first byte that is not UTF-8 text (NUL counts as none), or npos when all of it is.
std::size_t first_invalid_byte(std::string_view text);

/// How many code points `text` holds; a byte that is not UTF-8 counts as one.
std::size_t character_count(std::string_view text);

/// Whether a terminal may take the code point for an order: what is below a space, what is above `~` up to
/// U+009F, and what turns the direction of writing around. A tab and a line's end are such, too.
bool is_control(char32_t point);

/// The text with U+FFFD in place of control characters and of bytes that are no UTF-8, so that what a program
/// has written cannot steer the terminal; tabs and line ends stay.
std::string printable(std::string_view text);
/// The same, with tabs and line ends replaced, too: what stands in a table, or within a line.
std::string printable_line(std::string_view text);

/// Whether one of its bytes is a control character of ASCII.
bool has_control_character(std::string_view text);

/// How many columns a terminal gives the code point: 0 for combining marks, 2 for East Asian wide ones.
std::size_t terminal_width(char32_t point);

}  // namespace kernmill
