#include "kernmill/exec/attempt/options.hpp"

#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kernmill::exec {
namespace {

using What = Options::What;

constexpr const char* usage =
    "usage: kernmill-exec --run DIR --stage NAME --instance N --attempt N --job ID [--restart N] "
    "[--no-cache] [--time-factor X] [--handed-over]\n"
    "       kernmill-exec --run DIR --array KEY --generation N [--no-cache]    (in a job of Slurm)\n"
    "       kernmill-exec --run DIR --stage NAME --job ID --pack [--no-cache]  (what is in it: standard "
    "input)\n"
    "       kernmill-exec --run DIR --close --generation N [--no-cache]        (in a job of Slurm)\n"
    "       kernmill-exec --run DIR --grow STAGE --generation N [--no-cache]   (in a job of Slurm)";

[[noreturn]] void reject(const std::string& why) {
  throw std::invalid_argument(why + "\n" + usage);
}

template <typename Number>
Number number(const std::string& option, const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    reject(fmt::format("{} wants a number, not '{}'", option, text));
  return value;
}

void take(Options& options, const std::string& option, const std::string& value) {
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
    options.attempt.instance = number<unsigned>(option, value);
  else if (option == "--attempt")
    options.attempt.number = number<unsigned>(option, value);
  else if (option == "--array")
    options.array = value;
  else if (option == "--grow")
    options.decider = value;
  else if (option == "--generation")
    options.generation = number<unsigned>(option, value);
  else
    reject(fmt::format("{} is no option of kernmill-exec", option));
}

/// The options that each way of starting needs, and those that it may have beside them.
void check(What what, const std::set<std::string>& given) {
  static const std::set<std::string> needed[] = {{"--run", "--stage", "--instance", "--attempt", "--job"},
                                                 {"--run", "--array", "--generation"},
                                                 {"--run", "--close", "--generation"},
                                                 {"--run", "--stage", "--job", "--pack"},
                                                 {"--run", "--grow", "--generation"}};
  const auto& required = needed[static_cast<std::size_t>(what)];
  for (const std::string& option : required)
    if (!given.contains(option)) reject(option + " is missing");
  for (const std::string& option : given)
    if (!required.contains(option) && option != "--no-cache" &&
        (what != What::attempt ||
         (option != "--restart" && option != "--time-factor" && option != "--handed-over")))
      reject(fmt::format("{} does not go with {}", option, *required.begin()));
}

}  // namespace

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  std::set<std::string> given;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& option = words[i];
    given.insert(option);
    if (option == "--no-cache") {
      options.no_cache = true;
    } else if (option == "--handed-over") {
      options.handed_over = true;
    } else if (option != "--close" && option != "--pack") {
      if (i + 1 == words.size()) reject(fmt::format("{} is unknown or wants a value", option));
      take(options, option, words[++i]);
    }
  }
  if (given.contains("--close"))
    options.what = What::close;
  else if (given.contains("--pack"))
    options.what = What::pack;
  else if (given.contains("--grow"))
    options.what = What::grow;
  else if (given.contains("--array"))
    options.what = What::element;
  check(options.what, given);
  if (!(options.time_factor > 0) || !std::isfinite(options.time_factor))
    reject("--time-factor must be more than 0");
  return options;
}

}  // namespace kernmill::exec
