#include "kernmill/exec/attempt/element_fence.hpp"

#include <charconv>

namespace kernmill::exec {

namespace fs = std::filesystem;

ElementFence::ElementFence(fs::path journal, std::string job, unsigned restart)
    : journal_(std::move(journal)),
      prefix_(std::move(job) + '.'),
      restart_(restart),
      seen_(fs::file_time_type::min()) {}

std::string ElementFence::newer() {
  std::error_code error;
  const auto changed = fs::last_write_time(journal_, error);
  if (error || changed == seen_) return {};
  for (const auto& entry : fs::directory_iterator(journal_, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix_)) continue;
    unsigned restart = 0;
    std::from_chars(name.data() + prefix_.size(), name.data() + name.size(), restart);
    if (restart > restart_) return name;
  }
  // Its clock may be coarse: only a change that is some time ago counts as seen.
  if (fs::file_time_type::clock::now() - changed > std::chrono::seconds(2)) seen_ = changed;
  return {};
}

}  // namespace kernmill::exec
