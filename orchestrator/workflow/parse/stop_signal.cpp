#include "kernmill/workflow/parse/stop_signal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "kernmill/workflow/expression/expression_syntax.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

constexpr std::array signal_names{"TERM", "USR1", "USR2", "INT", "HUP", "QUIT", "ALRM"};

/// A bare number is seconds, as in sbatch, and not minutes.
std::optional<std::chrono::seconds> lead_of(std::string_view text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size() && seconds >= 0)
    return std::chrono::seconds(seconds);
  return parse_time(text);
}

}  // namespace

std::optional<StopSignal> read_stop_signal(const Value& value, Diagnostics& diagnostics) {
  const std::size_t at = value.text.find('@');
  StopSignal signal{value.text.substr(0, at)};
  if (signal.name.starts_with("SIG")) signal.name.erase(0, 3);
  const bool is_known =
      std::find(signal_names.begin(), signal_names.end(), signal.name) != signal_names.end();
  if (!is_known && !(signal.name.empty() && at != std::string::npos)) {
    diagnostics.error(
        value.where, fmt::format("'signal' cannot be '{}'", value.text),
        "it is TERM, USR1, USR2, INT, HUP, QUIT or ALRM, with @ and the time before the limit if "
        "you like: USR1@120, TERM@5m; KILL and STOP cannot be caught");
    return {};
  }
  if (at == std::string::npos) return signal;
  const auto lead = lead_of(std::string_view(value.text).substr(at + 1));
  if (!lead || lead->count() == 0) {
    diagnostics.error(value.where,
                      fmt::format("'{}' says no time before the limit behind its '@'", value.text),
                      "a number is seconds: USR1@120; or write USR1@2m");
    return {};
  }
  signal.lead = *lead;
  return signal;
}

void check_stop_signal(const Stage& stage, const Where& where, Diagnostics& diagnostics) {
  const Json time = stage.resources.value("time", Json());
  const std::string text = time.is_string() ? time.get<std::string>() : time.dump();
  const auto limit = has_template(text) ? std::nullopt : parse_time(text);
  if (!limit || limit->count() == 0 || stage.signal_lead * 2 <= *limit) return;
  diagnostics.warning(
      where,
      fmt::format(
          "'signal' is to come {} before the end of '{}', which has only {}: it comes when half of that "
          "is over",
          spell_time(stage.signal_lead), stage.name, spell_time(*limit)),
      "give it more 'time', or let the signal come later: USR1@30");
}

}  // namespace kernmill
