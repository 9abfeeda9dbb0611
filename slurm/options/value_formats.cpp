#include "kernmill/slurm/options/value_formats.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>
#include <signal.h>

namespace kernmill::slurm {
namespace {

[[noreturn]] void expected(std::string_view text, std::string_view what) {
  throw std::invalid_argument(fmt::format("\"{}\" is not {}", text, what));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

/// The number that the text begins with; takes it off the text. False when it begins otherwise.
bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::uint32_t node_count(std::string_view text, std::string_view whole) {
  std::uint64_t number = 0;
  if (!take_number(text, number)) expected(whole, "a number of nodes, or a range of them such as 2-8");
  if (lower(text) == "k")
    number *= 1024;
  else if (lower(text) == "m")
    number *= 1024 * 1024;
  else if (!text.empty())
    expected(whole, "a number of nodes, or a range of them such as 2-8");
  return static_cast<std::uint32_t>(number);
}

constexpr std::array<std::pair<int, std::string_view>, 14> signals{{{SIGHUP, "hup"},
                                                                    {SIGINT, "int"},
                                                                    {SIGQUIT, "quit"},
                                                                    {SIGABRT, "abrt"},
                                                                    {SIGKILL, "kill"},
                                                                    {SIGALRM, "alrm"},
                                                                    {SIGTERM, "term"},
                                                                    {SIGUSR1, "usr1"},
                                                                    {SIGUSR2, "usr2"},
                                                                    {SIGURG, "urg"},
                                                                    {SIGCONT, "cont"},
                                                                    {SIGSTOP, "stop"},
                                                                    {SIGXCPU, "xcpu"},
                                                                    {SIGTSTP, "tstp"}}};

struct Clock {
  std::uint64_t days = 0, hours = 0, minutes = 0, seconds = 0;
  [[nodiscard]] std::uint64_t total() const { return ((days * 24 + hours) * 60 + minutes) * 60 + seconds; }
};

}  // namespace

std::uint32_t parse_number(std::string_view text, std::uint32_t least) {
  std::string_view rest = text;
  std::uint64_t number = 0;
  if (!take_number(rest, number) || !rest.empty() || number < least || number >= 0xfffffffeU) {
    expected(text, fmt::format("a whole number from {} on", least));
  }
  return static_cast<std::uint32_t>(number);
}

std::uint64_t parse_megabytes(std::string_view text) {
  constexpr std::string_view what = "an amount of memory such as 16G, 500M or 2000 (megabytes)";
  std::string_view rest = text;
  std::uint64_t number = 0;
  if (!take_number(rest, number) || number > (std::uint64_t{1} << 40)) expected(text, what);
  std::string unit = lower(rest);
  if (unit.size() == 2 && unit[1] == 'b') unit.pop_back();
  if (unit.empty() || unit == "m") return number;
  if (unit == "k") return (number + 1023) / 1024;
  if (unit == "g") return number * 1024;
  if (unit == "t") return number * 1024 * 1024;
  expected(text, what);
}

std::uint32_t parse_duration(std::string_view text) {
  constexpr std::string_view what =
      "a time as Slurm writes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, "
      "days-hours:minutes, days-hours:minutes:seconds or UNLIMITED";
  const std::string word = lower(text);
  if (word == "unlimited" || word == "infinite" || word == "-1") return JobRequest::no_limit;
  Clock clock;
  std::string_view rest = text;
  const bool has_days = rest.find('-') != std::string_view::npos;
  if (has_days && (!take_number(rest, clock.days) || !rest.starts_with('-'))) expected(text, what);
  if (has_days) rest.remove_prefix(1);
  const auto parts = split(rest, ':');
  std::array<std::uint64_t, 3> numbers{};
  if (parts.size() > 3) expected(text, what);
  for (std::size_t part = 0; part < parts.size(); ++part) {
    std::string_view digits = parts[part];
    if (!take_number(digits, numbers[part]) || !digits.empty()) expected(text, what);
  }
  if (has_days || parts.size() == 3) {
    clock.hours = numbers[0], clock.minutes = numbers[1], clock.seconds = numbers[2];
  } else {
    clock.minutes = numbers[0], clock.seconds = numbers[1];
  }
  if (clock.total() > 0x7fffffffU) expected(text, "a time below 68 years");
  return static_cast<std::uint32_t>(clock.total());
}

std::uint32_t parse_minutes(std::string_view text) {
  const std::uint32_t seconds = parse_duration(text);
  return seconds == JobRequest::no_limit ? seconds : (seconds + 59) / 60;
}

std::pair<std::uint32_t, std::uint32_t> parse_node_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::uint32_t least = node_count(text.substr(0, dash), text);
  const std::uint32_t most = dash == std::string_view::npos ? least : node_count(text.substr(dash + 1), text);
  if (most < least) expected(text, "a range: the first number is the smaller one");
  return {least, most};
}

int parse_signal(std::string_view text) {
  std::string_view name = text;
  std::uint64_t number = 0;
  if (take_number(name, number)) {
    if (!name.empty() || number == 0 || number > 64) expected(text, "a signal");
    return static_cast<int>(number);
  }
  std::string wanted = lower(text);
  if (wanted.starts_with("sig")) wanted.erase(0, 3);
  for (const auto& [signal, signal_name] : signals) {
    if (signal_name == wanted) return signal;
  }
  expected(text, "a signal, such as USR1 or 10");
}

Warning parse_warning(std::string_view text) {
  Warning warning;
  std::string_view rest = text;
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    for (const char letter : lower(rest.substr(0, colon))) {
      if (letter == 'b')
        warning.to_batch_script = true;
      else if (letter == 'r')
        warning.in_reservation = true;
      else
        expected(text, "a signal with its time, such as B:USR1@60");
    }
    rest.remove_prefix(colon + 1);
  }
  const std::size_t at = rest.find('@');
  warning.signal = static_cast<std::uint16_t>(parse_signal(rest.substr(0, at)));
  if (at == std::string_view::npos) return warning;
  const std::uint32_t seconds = parse_number(rest.substr(at + 1));
  if (seconds > 0xffff) expected(text, "a warning at most 65535 seconds before the end");
  warning.seconds = static_cast<std::uint16_t>(seconds);
  return warning;
}

unsigned parse_mail_types(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, unsigned>, 13> names{
      {{"none", 0},
       {"begin", mail_begin},
       {"end", mail_end},
       {"fail", mail_fail},
       {"requeue", mail_requeue},
       {"invalid_depend", mail_invalid_depend},
       {"stage_out", mail_stage_out},
       {"all", mail_begin | mail_end | mail_fail | mail_requeue | mail_invalid_depend | mail_stage_out},
       {"time_limit", mail_time_limit},
       {"time_limit_90", mail_time_limit_90},
       {"time_limit_80", mail_time_limit_80},
       {"time_limit_50", mail_time_limit_50},
       {"array_tasks", mail_array_tasks}}};
  unsigned types = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::string word = lower(part);
    const auto* const found =
        std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.first == word; });
    if (found == names.end()) {
      expected(part,
               "a kind of mail: NONE, ALL, BEGIN, END, FAIL, REQUEUE, INVALID_DEPEND, STAGE_OUT, TIME_LIMIT, "
               "TIME_LIMIT_90, TIME_LIMIT_80, TIME_LIMIT_50, ARRAY_TASKS");
    }
    if (word == "none") return 0;
    types |= found->second;
  }
  return types;
}

}  // namespace kernmill::slurm
