#pragma once
#include <string>
#include <string_view>

/// Texts that are numbers: which of them a double holds, and which of them mean the same.
namespace kernmill {

/// From 2^53 on a double holds only some of the whole numbers.
inline constexpr double end_of_exact_integers = 9007199254740992.0;

/// Digits with a sign or without one.
bool is_integer(std::string_view text);

/// As parse_number; and a whole number that is written in digits has to be one that a double holds:
/// 9007199254740992 is, 9007199254740993 is not.
std::string parse_exact_number(std::string_view text, double& value);

/// Whether a text is a number but for a comma in the place of the decimal point: 3,14.
bool has_decimal_comma(std::string_view text);
/// "3.14" for "3,14", where `decimal` is a comma; any other text as it is.
std::string with_decimal_point(std::string_view text, char decimal);

/// A whole number in its shortest spelling: "7" for "+007", "0" for "-0".
std::string shortest_integer(std::string_view integer);

/// What a text that names something is told apart by: that of spellings of one number is the same ("1" for
/// 1, 1.0, +1 and 1e0, "0.1" for .1 and 1.0e-01), that of any other text is the text itself. Digits with a
/// leading zero are no number but a code ("007"); whole numbers of 2^53 and more are alike only when their
/// digits are.
std::string name_key(std::string_view text);

}  // namespace kernmill
