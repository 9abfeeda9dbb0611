#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kernmill {

/// A moment, this one if none is given, as the journal writes it: "2026-11-21T04:05:06.123Z".
std::string utc_timestamp(std::chrono::system_clock::time_point moment = std::chrono::system_clock::now());

/// Milliseconds since 1970 of a text that utc_timestamp() gives for a moment; nothing for any other text.
std::optional<std::int64_t> milliseconds_of(std::string_view timestamp);

/// A moment in UTC, to the second, as strftime() writes it: at most 31 characters, empty if it would be more.
std::string utc_text(std::chrono::system_clock::time_point moment, const char* format);

/// The moment that a text like that means, with thousandths of a second or without; nothing when it is none.
std::optional<std::chrono::system_clock::time_point> utc_moment(std::string_view text);

}  // namespace kernmill
