#include "kernmill/base/timestamp.hpp"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace kernmill {
namespace {

constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd.dddZ";

bool has_shape(std::string_view text) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) return false;
  return true;
}

int number_at(std::string_view text, std::size_t begin, std::size_t digits) {
  int number = 0;
  std::from_chars(text.data() + begin, text.data() + begin + digits, number);
  return number;
}

}  // namespace

std::optional<std::int64_t> milliseconds_of(std::string_view timestamp) {
  using namespace std::chrono;
  if (!has_shape(timestamp)) return {};
  const auto number = [&](std::size_t begin, std::size_t digits) {
    return number_at(timestamp, begin, digits);
  };
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  // What the system's clock, in nanoseconds, can be converted to.
  if (date.year() < year(1700) || date.year() > year(2200)) return {};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return {};
  const milliseconds time = hours(hour) + minutes(minute) + seconds(second) + milliseconds(number(20, 3));
  return (sys_days(date).time_since_epoch() + time).count();
}

// Without strftime, which a hundred thousand records would wait for.
std::string utc_timestamp(std::chrono::system_clock::time_point moment) {
  using namespace std::chrono;
  const auto time = floor<milliseconds>(moment);
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string utc_text(std::chrono::system_clock::time_point moment, const char* format) {
  using namespace std::chrono;
  const std::time_t seconds_since_1970 = system_clock::to_time_t(floor<seconds>(moment));
  std::tm parts{};
  ::gmtime_r(&seconds_since_1970, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::optional<std::chrono::system_clock::time_point> utc_moment(std::string_view text) {
  constexpr std::size_t seconds = 19, thousandths = 4;  // characters
  if (text.size() < seconds) return {};
  const bool is_exact = text.size() >= seconds + thousandths && text[seconds] == '.';
  const auto moment =
      milliseconds_of(fmt::format("{}{}Z", text.substr(0, seconds),
                                  is_exact ? text.substr(seconds, thousandths) : std::string_view(".000")));
  if (!moment) return {};
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(*moment));
}

}  // namespace kernmill
