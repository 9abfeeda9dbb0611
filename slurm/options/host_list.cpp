#include <stdexcept>
#include <unordered_set>

#include <fmt/format.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

constexpr std::size_t most_hosts = 1'000'000;

[[noreturn]] void refuse_hosts(std::string_view text) {
  throw std::invalid_argument(fmt::format("\"{}\" is not a list of nodes such as n1,n[3-7,9]", text));
}

/// The numbers of "1-3,07" with the zeros that they are written with.
std::vector<std::string> numbers(std::string_view text, std::string_view whole) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const std::size_t dash = part.find('-');
    const std::string_view first = part.substr(0, dash);
    const std::string_view last = dash == std::string_view::npos ? first : part.substr(dash + 1);
    const std::uint32_t from = parse_number(first), to = parse_number(last);
    if (to < from || to - from > most_hosts) refuse_hosts(whole);
    for (std::uint32_t number = from; number <= to; ++number) {
      result.push_back(fmt::format("{:0{}}", number, first.size()));
    }
  }
  return result;
}

/// The hosts of one element of the list, which may have several brackets.
void expand(std::string_view element, const std::string& prefix, std::vector<std::string>& hosts,
            std::string_view whole) {
  const std::size_t open = element.find('[');
  if (open == std::string_view::npos) {
    if (element.find(']') != std::string_view::npos || prefix.size() + element.size() == 0)
      refuse_hosts(whole);
    hosts.push_back(prefix + std::string(element));
    return;
  }
  const std::size_t close = element.find(']', open);
  if (close == std::string_view::npos) refuse_hosts(whole);
  for (const std::string& number : numbers(element.substr(open + 1, close - open - 1), whole)) {
    expand(element.substr(close + 1), fmt::format("{}{}{}", prefix, element.substr(0, open), number), hosts,
           whole);
  }
  if (hosts.size() > most_hosts) refuse_hosts(whole);
}

}  // namespace

std::vector<std::string> expand_hosts(std::string_view list) {
  std::vector<std::string> hosts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t at = 0; at <= list.size(); ++at) {
    const char letter = at < list.size() ? list[at] : ',';
    depth += letter == '[' ? 1 : letter == ']' ? -1 : 0;
    if (letter != ',' || depth > 0) continue;
    expand(list.substr(start, at - start), "", hosts, list);
    start = at + 1;
  }
  if (depth != 0) refuse_hosts(list);
  std::unordered_set<std::string> seen;
  std::erase_if(hosts, [&seen](const std::string& host) { return !seen.insert(host).second; });
  return hosts;
}

std::uint32_t count_hosts(std::string_view list) {
  return static_cast<std::uint32_t>(expand_hosts(list).size());
}

}  // namespace kernmill::slurm
