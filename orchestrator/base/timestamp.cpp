#include "kernmill/base/timestamp.hpp"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace kernmill {

std::string utc_timestamp(std::chrono::system_clock::time_point moment) {
  using namespace std::chrono;
  const auto time = floor<milliseconds>(moment);
  return fmt::format("{}.{:03}Z", utc_text(moment, "%Y-%m-%dT%H:%M:%S"),
                     (time.time_since_epoch() % 1s).count());
}

std::string utc_text(std::chrono::system_clock::time_point moment, const char* format) {
  using namespace std::chrono;
  const std::time_t seconds_since_1970 = system_clock::to_time_t(floor<seconds>(moment));
  std::tm parts{};
  ::gmtime_r(&seconds_since_1970, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

// Without sscanf, which takes a seventh of the time of a `status` of 10,000 instances.
std::optional<std::chrono::system_clock::time_point> utc_moment(std::string_view text) {
  if (text.size() < 19) return {};
  bool is_valid = true;
  const auto number = [&](std::size_t begin, std::size_t digits) {
    int value = 0;
    const char* const first = text.data() + begin;
    const auto [end, error] = std::from_chars(first, first + digits, value);
    is_valid = is_valid && error == std::errc{} && end == first + digits;
    return value;
  };
  using namespace std::chrono;
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  const auto time = hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2));
  const int thousandths = text.size() >= 23 && text[19] == '.' ? number(20, 3) : 0;
  if (!is_valid || !date.ok()) return {};
  return sys_days(date) + time + milliseconds(thousandths);
}

}  // namespace kernmill
