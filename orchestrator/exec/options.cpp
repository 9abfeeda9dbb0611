#include "kernmill/exec/options.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace kernmill::exec {
namespace {

constexpr const char* usage =
    "usage: kernmill-exec --run DIR --stage NAME --instance N --attempt N --job ID [--restart N] "
    "[--no-cache] "
    "[--time-factor X]";

[[noreturn]] void unusable(const std::string& why) {
  throw std::invalid_argument(why + "\n" + usage);
}

template <typename Number>
Number number(const std::string& option, const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    unusable(fmt::format("{} wants a number, not '{}'", option, text));
  return value;
}

}  // namespace

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  bool has_instance = false, has_attempt = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& option = words[i];
    if (option == "--no-cache") {
      options.no_cache = true;
      continue;
    }
    if (i + 1 == words.size()) unusable(fmt::format("{} is unknown or wants a value", option));
    const std::string& value = words[++i];
    if (option == "--run")
      options.run = value;
    else if (option == "--stage")
      options.attempt.stage = value;
    else if (option == "--job")
      options.job = value;
    else if (option == "--restart")
      options.restart = number<unsigned>(option, value);
    else if (option == "--time-factor")
      options.time_factor = number<double>(option, value);
    else if (option == "--instance")
      options.attempt.instance = number<unsigned>(option, value), has_instance = true;
    else if (option == "--attempt")
      options.attempt.number = number<unsigned>(option, value), has_attempt = true;
    else
      unusable(fmt::format("{} is no option of kernmill-exec", option));
  }
  if (options.run.empty() || options.attempt.stage.empty() || options.job.empty() || !has_instance ||
      !has_attempt)
    unusable("an option is missing");
  if (!(options.time_factor > 0) || !std::isfinite(options.time_factor))
    unusable("--time-factor must be more than 0");
  return options;
}

}  // namespace kernmill::exec
