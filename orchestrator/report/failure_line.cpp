#include "kernmill/report/failure_line.hpp"

#include <algorithm>
#include <string_view>

#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

/// Where a character ends, at most that many bytes behind the beginning.
std::size_t first_cut(std::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (auto point = decode(text); point && at + point->bytes <= most; point = decode(text.substr(at)))
    at += point->bytes;
  return at;
}

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, first_cut(text, most)) + " ...";
}

}  // namespace

std::string failure_line(const std::string& message, std::size_t longest) {
  const std::string text = printable(message.substr(0, message.find_last_not_of('\n') + 1));
  std::string line = text;
  for (std::size_t end; (end = line.find('\n')) != std::string::npos;) line.replace(end, 1, ": ");
  if (line.size() <= longest) return line;
  const std::size_t first_end = text.find('\n'), last_begin = text.rfind('\n');
  if (first_end == std::string::npos) return shortened(line, longest);
  const std::string between = first_end == last_begin ? ": " : ": ... ";
  const std::string first = shortened(text.substr(0, first_end), longest / 2);
  return first + between +
         shortened(text.substr(last_begin + 1), longest - std::min(longest, first.size() + between.size()));
}

}  // namespace kernmill
