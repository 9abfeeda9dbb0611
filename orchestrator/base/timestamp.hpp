#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kernmill {

/// A moment, this one if none is given, as the journal writes it: "2026-11-21T04:05:06.123Z".
std::string utc_timestamp(std::chrono::system_clock::time_point moment = std::chrono::system_clock::now());

/// A moment in UTC, to the second, as strftime() writes it: at most 31 characters, empty if it would be more.
std::string utc_text(std::chrono::system_clock::time_point moment, const char* format);

/// The moment that such a text of the journal means, to the millisecond; nothing when it is none.
std::optional<std::chrono::system_clock::time_point> utc_moment(std::string_view text);

}  // namespace kernmill
