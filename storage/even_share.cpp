#include "kernmill/storage/even_share.hpp"

#include <algorithm>

namespace kernmill::storage {

IndexRange even_share(std::uint64_t items, int part, int parts) {
  const auto p = static_cast<std::uint64_t>(part), n = static_cast<std::uint64_t>(parts);
  const std::uint64_t each = items / n, more = items % n;
  const std::uint64_t begin = p * each + std::min(p, more);
  return {begin, begin + each + (p < more ? 1 : 0)};
}

int owner_of(std::uint64_t item, std::uint64_t items, int parts) {
  const auto n = static_cast<std::uint64_t>(parts);
  const std::uint64_t each = items / n, more = items % n;
  const std::uint64_t in_longer = more * (each + 1);
  return static_cast<int>(item < in_longer ? item / (each + 1) : more + (item - in_longer) / each);
}

}  // namespace kernmill::storage
