#include <algorithm>
#include <cctype>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

using Order = Distribution::Order;

[[noreturn]] void refuse_distribution(std::string_view text) {
  throw std::invalid_argument(
      fmt::format("\"{}\" is not a distribution such as block, cyclic:block, plane=4, arbitrary, "
                  "or one of them with ,Pack or ,NoPack",
                  text));
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Order order(std::string_view word, Order otherwise, bool may_be_full, std::string_view whole) {
  if (word == "*") return otherwise;
  if (same(word, "block")) return Order::block;
  if (same(word, "cyclic")) return Order::cyclic;
  if (may_be_full && same(word, "fcyclic")) return Order::fcyclic;
  refuse_distribution(whole);
}

void parse_levels(std::string_view levels, Distribution& result, std::string_view whole) {
  const auto next = [&levels] {
    const std::size_t colon = levels.find(':');
    const std::string_view word = levels.substr(0, colon);
    levels = colon == std::string_view::npos ? std::string_view{} : levels.substr(colon + 1);
    return word;
  };
  result.nodes = order(next(), Order::block, false, whole);
  if (levels.empty()) return;
  result.sockets = order(next(), Order::cyclic, true, whole);
  if (levels.empty()) return;
  result.cores = order(next(), result.sockets, true, whole);
  if (!levels.empty()) refuse_distribution(whole);
}

}  // namespace

Distribution parse_distribution(std::string_view text) {
  Distribution result;
  std::string_view base = text;
  const std::size_t comma = text.find(',');
  if (comma != std::string_view::npos) base = text.substr(0, comma);
  const std::string_view flag = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  if (same(flag, "pack") || same(base, "pack"))
    result.pack = true;
  else if (same(flag, "nopack") || same(base, "nopack"))
    result.pack = false;
  else if (comma != std::string_view::npos)
    refuse_distribution(text);
  if (same(base, "pack") || same(base, "nopack")) return result;
  if (base.size() > 6 && same(base.substr(0, 6), "plane="))
    result.plane = parse_number(base.substr(6), 1);
  else if (same(base, "arbitrary") || same(base, "hostfile"))
    result.arbitrary = true;
  else
    parse_levels(base, result, text);
  return result;
}

}  // namespace kernmill::slurm
