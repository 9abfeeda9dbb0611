#include "kernmill/report/shown_streams.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <unistd.h>

#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

constexpr std::string_view replacement = "\uFFFD";
constexpr std::size_t longest_colour = 32;
constexpr std::array<std::string_view, 11> our_colours{"0",  "1",    "2",    "31",   "32",  "33",
                                                       "34", "1;31", "1;34", "1;35", "1;36"};

/// The colour sequence that `text` begins with (ESC [ numbers m); empty: it is none; nothing: it may become
/// one.
std::optional<std::string_view> colour_in(std::string_view text) {
  if (text.size() > 1 && text[1] != '[') return "";
  const std::size_t end = text.find_first_not_of("0123456789;:", std::min<std::size_t>(2, text.size()));
  if (end == std::string_view::npos) return text.size() < longest_colour ? std::nullopt : std::optional("");
  return text[end] == 'm' ? text.substr(0, end + 1) : "";
}

bool may_pass(std::string_view colour, Colours which) {
  if (colour.empty() || which == Colours::none) return false;
  const std::string_view numbers = colour.substr(2, colour.size() - 3);
  return which == Colours::any ||
         std::find(our_colours.begin(), our_colours.end(), numbers) != our_colours.end();
}

/// Whether more bytes may make a character of these.
bool may_continue(std::string_view text) {
  constexpr std::size_t longest = 4;
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
  return text.size() < std::min(wanted, longest) &&
         std::all_of(text.begin() + 1, text.end(), [](unsigned char c) { return (c & 0xC0U) == 0x80U; });
}

/// A stream that the program writes to, and the one behind it.
struct Shown {
  int fd;
  std::FILE* behind = nullptr;
  TerminalFilter filter{};
  bool as_it_is = false;
};

Shown& shown(int fd) {
  static std::array<Shown, 2> both{Shown{STDOUT_FILENO}, Shown{STDERR_FILENO}};
  return both[fd == STDOUT_FILENO ? 0 : 1];
}

ssize_t write_shown(void* stream, const char* text, std::size_t size) {
  Shown& to = *static_cast<Shown*>(stream);
  const std::string filtered = to.as_it_is ? std::string(text, size) : to.filter({text, size});
  const bool written = std::fwrite(filtered.data(), 1, filtered.size(), to.behind) == filtered.size();
  return std::fflush(to.behind) == 0 && written ? static_cast<ssize_t>(size) : 0;
}

std::FILE* filtered(std::FILE* stream, Shown& as) {
  as.behind = stream;
  std::FILE* front =
      ::fopencookie(&as, "w", {.read = nullptr, .write = write_shown, .seek = nullptr, .close = nullptr});
  if (front == nullptr) return stream;  // no memory: what comes next says so
  constexpr std::size_t buffer = std::size_t{64} << 10;
  const int mode = as.fd == STDERR_FILENO ? _IONBF : ::isatty(as.fd) == 1 ? _IOLBF : _IOFBF;
  std::setvbuf(front, nullptr, mode, mode == _IONBF ? 0 : buffer);
  return front;
}

}  // namespace

std::string TerminalFilter::operator()(std::string_view piece) {
  held_ += piece;
  std::string result;
  std::string_view text = held_;
  while (!text.empty()) {
    const auto point = decode(text);
    std::size_t bytes = point ? point->bytes : 1;
    if (!point && may_continue(text)) break;
    if (text[0] == '\r' && text.size() == 1) break;
    if (text[0] == '\x1b' && colours != Colours::none) {
      const auto colour = colour_in(text);
      if (!colour) break;
      const bool passes = may_pass(*colour, colours);
      if (passes) bytes = colour->size();
      result += passes ? *colour : replacement;
    } else if (text[0] == '\r') {
      bytes = text.substr(0, 2) == "\r\n" ? 2 : 1;
      result += '\n';
    } else {
      const bool stays = point && (!is_control(point->value) || text[0] == '\t' || text[0] == '\n');
      result += stays ? text.substr(0, bytes) : replacement;
    }
    text.remove_prefix(bytes);
  }
  held_.erase(0, held_.size() - text.size());
  return result;
}

void filter_standard_streams() {
  if (shown(STDOUT_FILENO).behind != nullptr) return;
  stdout = filtered(stdout, shown(STDOUT_FILENO));
  stderr = filtered(stderr, shown(STDERR_FILENO));
}

void let_colours_through(int fd, Colours which) {
  shown(fd).filter.colours = which;
}

void leave_output_alone() {
  std::fflush(stdout);
  shown(STDOUT_FILENO).as_it_is = ::isatty(STDOUT_FILENO) != 1;
}

void steer_terminal(std::FILE* stream, std::string_view orders) {
  std::fflush(stream);
  const int fd = stream == stdout ? STDOUT_FILENO : STDERR_FILENO;
  const bool is_shown = (stream == stdout || stream == stderr) && shown(fd).behind != nullptr;
  std::FILE* to = is_shown ? shown(fd).behind : stream;
  std::fwrite(orders.data(), 1, orders.size(), to);
  std::fflush(to);
}

}  // namespace kernmill
