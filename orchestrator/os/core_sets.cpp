#include "kernmill/os/core_sets.hpp"

#include <algorithm>

#include <sched.h>

namespace kernmill::exec {

CoreSet allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CoreSet cores;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;  // more than 1024 cores: nobody is pinned
  for (unsigned core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

std::vector<CoreSet> split_cores(const CoreSet& allowed, unsigned sets, unsigned wanted) {
  std::vector<CoreSet> result(sets);
  if (sets == 0 || allowed.size() < sets) return result;
  const auto each = std::min<std::size_t>(std::max(1U, wanted), allowed.size() / sets);
  for (std::size_t i = 0; i < sets; ++i) {
    const auto from = allowed.begin() + static_cast<std::ptrdiff_t>(i * each);
    result[i].assign(from, from + static_cast<std::ptrdiff_t>(each));
  }
  return result;
}

}  // namespace kernmill::exec
