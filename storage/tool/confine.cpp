#include "kernmill/storage/tool/confine.hpp"

#include <algorithm>
#include <fstream>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernmill/storage/tool/system_calls.hpp"

namespace kernmill::storage::tool {
namespace {

void limit(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard) {
  rlimit current{};
  if (::getrlimit(resource, &current) != 0) return;
  const rlimit wanted{std::min<rlim_t>(soft, current.rlim_max), std::min<rlim_t>(hard, current.rlim_max)};
  ::setrlimit(resource, &wanted);
}

std::uint64_t seconds_used() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<std::uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1;
}

/// Beyond the address space that this process has.
void limit_memory([[maybe_unused]] std::uint64_t bytes) {
#ifndef __SANITIZE_ADDRESS__  // whose shadow is larger than any limit
  std::uint64_t pages = 0;
  if (!(std::ifstream("/proc/self/statm") >> pages)) return;
  bytes += pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  limit(RLIMIT_AS, bytes, bytes);
#endif
}

}  // namespace

void confine(const Needs& needs) {
  limit(RLIMIT_CORE, 0, 0);
  const std::uint64_t seconds = seconds_used() + static_cast<std::uint64_t>(needs.processor.count());
  limit(RLIMIT_CPU, seconds, seconds + 1);
  limit_memory(needs.memory);
  ::prctl(PR_SET_DUMPABLE, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;  // the rest wants it
  forbid_other_files(needs.files);
  forbid_harmful_calls();
}

}  // namespace kernmill::storage::tool
