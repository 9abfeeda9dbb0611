#include "kernmill/plan/index_ranges.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace kernmill {
namespace {

std::uint32_t number_in(std::string_view text, std::string_view whole) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("'{}' is no set of numbers such as 0-9,12", whole));
  return number;
}

}  // namespace

IndexRanges IndexRanges::parse(std::string_view text) {
  IndexRanges result;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t dash = part.find('-');
    const std::uint32_t first = number_in(part.substr(0, dash), text);
    const std::uint32_t last =
        dash == std::string_view::npos ? first : number_in(part.substr(dash + 1), text);
    if (last < first || (!result.empty() && first <= result.ranges_.back().last))
      throw std::invalid_argument(fmt::format("the numbers of '{}' do not rise", text));
    if (!result.empty() && first == result.ranges_.back().last + 1)
      result.ranges_.back().last = last;
    else
      result.ranges_.push_back({first, last});
  }
  return result;
}

void IndexRanges::append(std::uint32_t number) {
  if (!ranges_.empty() && number <= ranges_.back().last)
    throw std::invalid_argument(fmt::format("{} is not above {}", number, ranges_.back().last));
  if (!ranges_.empty() && number == ranges_.back().last + 1)
    ranges_.back().last = number;
  else
    ranges_.push_back({number, number});
}

std::uint32_t IndexRanges::size() const {
  std::uint32_t size = 0;
  for (const Range& range : ranges_) size += range.last - range.first + 1;
  return size;
}

bool IndexRanges::contains(std::uint32_t number) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), number,
                                      [](std::uint32_t n, const Range& range) { return n < range.first; });
  return after != ranges_.begin() && number <= std::prev(after)->last;
}

bool IndexRanges::contains(const IndexRanges& other) const {
  return std::all_of(other.ranges_.begin(), other.ranges_.end(), [&](const Range& range) {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& mine) {
      return mine.first <= range.first && range.last <= mine.last;
    });
  });
}

std::uint32_t IndexRanges::at(std::uint32_t rank) const {
  for (const Range& range : ranges_) {
    const std::uint32_t length = range.last - range.first + 1;
    if (rank < length) return range.first + rank;
    rank -= length;
  }
  throw std::out_of_range("there are fewer numbers in this set");
}

std::uint32_t IndexRanges::rank_of(std::uint32_t number) const {
  std::uint32_t rank = 0;
  for (const Range& range : ranges_) {
    if (number <= range.first) break;
    rank += std::min(number, range.last + 1) - range.first;
  }
  return rank;
}

IndexRanges IndexRanges::slice(std::uint32_t rank, std::uint32_t count) const {
  IndexRanges result;
  for (const Range& range : ranges_) {
    const std::uint32_t length = range.last - range.first + 1;
    if (rank >= length) {
      rank -= length;
      continue;
    }
    if (count == 0) break;
    const std::uint32_t taken = std::min(count, length - rank);
    result.ranges_.push_back({range.first + rank, range.first + rank + taken - 1});
    count -= taken;
    rank = 0;
  }
  return result;
}

IndexRanges IndexRanges::minus(std::uint32_t offset) const {
  IndexRanges result = *this;
  for (Range& range : result.ranges_) {
    range.first -= offset;
    range.last -= offset;
  }
  return result;
}

std::string IndexRanges::text() const {
  std::string text;
  for (const Range& range : ranges_) {
    if (!text.empty()) text += ',';
    text += range.first == range.last ? fmt::format("{}", range.first)
                                      : fmt::format("{}-{}", range.first, range.last);
  }
  return text;
}

}  // namespace kernmill
