#include "kernmill/base/timestamp.hpp"

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

}  // namespace kernmill
