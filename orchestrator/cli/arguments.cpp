#include "kernmill/cli/arguments.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/report/shown_streams.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"

namespace po = boost::program_options;

namespace kernmill::cli {
namespace {

/// An option without the value that was typed with it.
std::string spelled(const std::string& original) {
  return original.substr(0, original.find('='));
}

}  // namespace

Arguments::Arguments(const Command& command, po::options_description options, std::vector<std::string> words,
                     bool rest)
    : command_(command), shown_(std::move(options)), words_(std::move(words)), rest_(rest) {
  add_flag(shown_, "json", "one JSON value on stdout, with a schema_version");
  add_text(shown_, "color", "WHEN", "auto, always or never (default auto; NO_COLOR is obeyed)");
  add_flag(shown_, "help,h", "show this");
}

bool Arguments::parse(const std::vector<std::string>& arguments) {
  po::options_description all;
  all.add(shown_);
  po::positional_options_description positions;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const bool takes_rest = rest_ && i + 1 == words_.size();
    positions.add(words_[i].c_str(), takes_rest ? -1 : 1);
    if (takes_rest)
      add_texts(all, words_[i].c_str(), "", "");
    else
      add_text(all, words_[i].c_str(), "", "");
  }
  try {
    using namespace po::command_line_style;
    const int style = unix_style & ~allow_guessing;
    po::store(po::command_line_parser(arguments).options(all).positional(positions).style(style).run(),
              values_);
  } catch (const po::unknown_option& error) {
    const std::string name = spelled(error.get_option_name());
    const std::string meant = did_you_mean(name, option_names(), "{}");
    throw UsageError(fmt::format("kernmill {}: unknown option {}", command_.name, name),
                     meant.empty() ? fmt::format("see kernmill {} --help", command_.name) : meant);
  } catch (const po::error& error) {
    throw UsageError(fmt::format("kernmill {}: {}", command_.name, error.what()),
                     fmt::format("see kernmill {} --help", command_.name));
  }
  for (const auto& [name, value] : values_)
    if (const int* number = boost::any_cast<int>(&value.value()); number != nullptr && *number < 0)
      throw UsageError(fmt::format("--{} takes a number from 0 on, not {}", name, *number));
  if (has("json")) leave_output_alone();
  if (!has("help")) return true;
  std::fputs(help().c_str(), stdout);
  return false;
}

std::vector<std::string> Arguments::option_names() const {
  std::vector<std::string> names;
  for (const auto& option : shown_.options()) names.push_back("--" + option->long_name());
  return names;
}

std::string Arguments::help() const {
  std::string text =
      fmt::format("Examples:\n{}\nkernmill {}: {}\n\nUsage: kernmill {} {}\n\nOptions:\n", command_.examples,
                  command_.name, command_.summary, command_.name, command_.synopsis);
  TextTable table({}, "  ");
  for (const auto& option : shown_.options()) {
    const std::string shorthand =
        option->canonical_display_name(po::command_line_style::allow_dash_for_short);
    const std::string value = option->semantic()->max_tokens() == 0 ? "" : " " + option->semantic()->name();
    const bool is_short = shorthand.size() == 2 && shorthand[0] == '-';
    const std::string both = is_short ? shorthand + ", --" : "    --";
    table.row({fmt::format("{}{}{}", both, option->long_name(), value), option->description()});
  }
  return text + table.text();
}

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  return has(name) ? values_[name].as<std::string>() : otherwise;
}

std::vector<std::string> Arguments::texts(const std::string& name) const {
  return has(name) ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>{};
}

std::optional<int> Arguments::number(const std::string& name) const {
  return has(name) ? std::optional(values_[name].as<int>()) : std::nullopt;
}

std::string Arguments::required(const std::string& name) const {
  if (has(name)) return text(name);
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  throw UsageError(fmt::format("kernmill {}: {} is missing", command_.name, upper),
                   fmt::format("usage: kernmill {} {}", command_.name, command_.synopsis));
}

Paint Arguments::paint(int fd) const {
  const Paint paint = chosen_paint(fd);
  let_colours_through(fd, paint.on() ? Colours::ours : Colours::none);
  return paint;
}

Paint Arguments::chosen_paint(int fd) const {
  const std::string when = text("color", "auto");
  if (when == "always") return Paint(true);
  if (when == "never") return Paint(false);
  if (when != "auto") throw UsageError(fmt::format("--color takes auto, always or never, not '{}'", when));
  const char* none = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return Paint((none == nullptr || *none == '\0') && !dumb && isatty(fd) == 1);
}

void add_flag(po::options_description& options, const char* name, const char* text) {
  options.add_options()(name, text);
}

void add_text(po::options_description& options, const char* name, const char* value, const char* text) {
  options.add_options()(name, po::value<std::string>()->value_name(value), text);
}

void add_texts(po::options_description& options, const char* name, const char* value, const char* text) {
  options.add_options()(name, po::value<std::vector<std::string>>()->composing()->value_name(value), text);
}

void add_number(po::options_description& options, const char* name, const char* value, const char* text) {
  options.add_options()(name, po::value<int>()->value_name(value), text);
}

}  // namespace kernmill::cli
