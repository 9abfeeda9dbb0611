#include <regex>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

[[noreturn]] void refuse_time(std::string_view text) {
  throw std::invalid_argument(
      fmt::format("\"{}\" is not a time such as now+2hours, 16:00, noon, tomorrow, 2030-01-20T12:34:00, "
                  "01/20/30 or 013030-12:30",
                  text));
}

int to_int(const std::ssub_match& match) {
  return match.matched ? std::stoi(match.str()) : 0;
}

std::int64_t seconds_in(const std::string& unit) {
  if (unit.starts_with("min")) return 60;
  if (unit.starts_with("hour")) return 3600;
  if (unit.starts_with("day")) return 86400;
  if (unit.starts_with("week")) return 7 * 86400;
  return 1;
}

/// A moment that is put together from a date, a time of day, or both.
struct Moment {
  std::tm date{};
  bool has_date = false, has_time = false;

  void set_date(int year, int month, int day) {
    date.tm_year = year - 1900, date.tm_mon = month - 1, date.tm_mday = day;
    has_date = true;
  }
  void set_time(int hour, int minute, int second) {
    date.tm_hour = hour, date.tm_min = minute, date.tm_sec = second;
    has_time = true;
  }
};

bool read_day(const std::string& text, std::time_t now, Moment& moment) {
  std::smatch match;
  static const std::regex iso(R"((\d{4})-(\d{1,2})-(\d{1,2}))");
  static const std::regex american(R"((\d{1,2})[/.](\d{1,2})(?:[/.](\d{2}|\d{4}))?)");
  static const std::regex digits(R"((\d{2})(\d{2})(\d{2})?)");
  std::tm today{};
  if (text == "today" || text == "tomorrow") now += text == "tomorrow" ? 86400 : 0;
  ::localtime_r(&now, &today);
  const int this_year = today.tm_year + 1900;
  if (text == "today" || text == "tomorrow") {
    moment.set_date(this_year, today.tm_mon + 1, today.tm_mday);
  } else if (std::regex_match(text, match, iso)) {
    moment.set_date(to_int(match[1]), to_int(match[2]), to_int(match[3]));
  } else if (std::regex_match(text, match, american) || std::regex_match(text, match, digits)) {
    const int year = to_int(match[3]);
    moment.set_date(!match[3].matched ? this_year
                    : year < 100      ? 2000 + year
                                      : year,
                    to_int(match[1]), to_int(match[2]));
  } else {
    return false;
  }
  return true;
}

bool read_clock(const std::string& text, Moment& moment) {
  std::smatch match;
  static const std::regex clock(R"((\d{1,2}):(\d{2})(?::(\d{2}))?\s*(am|pm)?)", std::regex::icase);
  if (text == "midnight")
    moment.set_time(0, 0, 0);
  else if (text == "noon")
    moment.set_time(12, 0, 0);
  else if (text == "fika")
    moment.set_time(15, 0, 0);
  else if (text == "teatime")
    moment.set_time(16, 0, 0);
  else if (std::regex_match(text, match, clock)) {
    int hour = to_int(match[1]);
    if (match[4].matched) hour = hour % 12 + (std::tolower(match[4].str()[0]) == 'p' ? 12 : 0);
    moment.set_time(hour, to_int(match[2]), to_int(match[3]));
  } else {
    return false;
  }
  return true;
}

/// The date and the time of day stand beside each other, with a T, a dash or a space between them.
bool read_parts(const std::string& text, std::time_t now, Moment& moment) {
  if (read_day(text, now, moment) || read_clock(text, moment)) return true;
  for (std::size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] != 'T' && text[at] != '-' && text[at] != ' ') continue;
    Moment both;
    if (read_day(text.substr(0, at), now, both) && read_clock(text.substr(at + 1), both)) {
      moment = both;
      return true;
    }
  }
  return false;
}

}  // namespace

std::int64_t parse_time_point(std::string_view text, std::time_t now) {
  const std::string value(text);
  std::smatch match;
  static const std::regex from_now(
      R"(now\s*(?:([+-])\s*(\d{1,9})\s*(|seconds?|minutes?|min|hours?|days?|weeks?))?)", std::regex::icase);
  static const std::regex unix_time(R"(uts(\d{7,12}))", std::regex::icase);
  if (std::regex_match(value, match, from_now)) {
    if (!match[1].matched) return now;
    const std::int64_t delta = to_int(match[2]) * seconds_in(match[3].str());
    return match[1].str() == "+" ? now + delta : now - delta;
  }
  if (std::regex_match(value, match, unix_time)) return std::stoll(match[1].str());
  Moment moment;
  if (!read_parts(value, now, moment)) refuse_time(text);
  if (!moment.has_date) {  // the next time that a clock shows this
    std::tm today{};
    ::localtime_r(&now, &today);
    moment.date.tm_year = today.tm_year, moment.date.tm_mon = today.tm_mon,
    moment.date.tm_mday = today.tm_mday;
    const int minutes_now = today.tm_hour * 60 + today.tm_min;
    if (moment.date.tm_hour * 60 + moment.date.tm_min <= minutes_now) ++moment.date.tm_mday;
  }
  const std::tm asked = moment.date;
  moment.date.tm_isdst = -1;
  const std::time_t result = std::mktime(&moment.date);
  const bool is_rolled_over = moment.has_date && moment.date.tm_mday != asked.tm_mday;
  if (result == -1 || is_rolled_over || asked.tm_hour > 23 || asked.tm_min > 59 || asked.tm_sec > 60)
    refuse_time(text);
  return result;
}

}  // namespace kernmill::slurm
