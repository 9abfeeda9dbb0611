#include "kernmill/exec/pack/spare_checkpoints.hpp"

#include <cstdio>
#include <system_error>

#include <unistd.h>

#include "kernmill/exec/attempt/continuation.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

bool holds_nothing(const fs::path& folder) {
  std::error_code none;
  const fs::directory_iterator entries(folder, none);
  return !none && entries == fs::directory_iterator();
}

bool holds_nothing_else(const fs::path& folder, const fs::path& than) {
  std::error_code none;
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end; entry.increment(none))
    if (entry->path().filename() != than) return false;
  return !none;
}

}  // namespace

void SpareCheckpoints::give(const Attempt& attempt) {
  if (!spare_.empty()) {
    const fs::path instance = attempt.checkpoints().parent_path();
    // One that is there, and holds something, is not replaced.
    if (::rename(spare_.parent_path().c_str(), instance.c_str()) == 0) return spare_.clear();
    remove();
  }
  make_checkpoints(attempt);
}

void SpareCheckpoints::take(const Attempt& attempt) {
  const fs::path checkpoints = attempt.checkpoints(), instance = checkpoints.parent_path();
  if (spare_.empty() && holds_nothing(checkpoints) && holds_nothing_else(instance, checkpoints.filename())) {
    spare_ = checkpoints;
    return;
  }
  std::error_code ignored;
  fs::remove_all(checkpoints, ignored);
  ::rmdir(instance.c_str());  // if nothing is in it
}

void SpareCheckpoints::remove() noexcept {
  if (spare_.empty()) return;
  ::rmdir(spare_.c_str());
  ::rmdir(spare_.parent_path().c_str());
  spare_.clear();
}

}  // namespace kernmill::exec
