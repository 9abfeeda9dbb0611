#include "kernmill/exec/attempt/element_fence.hpp"

#include <charconv>

namespace kernmill::exec {

namespace fs = std::filesystem;

ElementFence::ElementFence(fs::path journal, std::string job, unsigned restart)
    : journal_(std::move(journal)),
      prefix_(std::move(job) + '.'),
      restart_(restart),
      seen_(fs::file_time_type::min()),
      last_(fs::file_time_type::min()) {}

std::string ElementFence::newer() {
  std::error_code error;
  const auto changed = fs::last_write_time(journal_, error);
  if (error || changed == seen_) return {};
  // Its time stamps may be coarse, and are those of another clock: only what has stayed as it is for a while
  // of our own time counts as seen.
  const auto now = std::chrono::steady_clock::now();
  const bool is_settled = changed == last_ && now - since_ > std::chrono::seconds(2);
  if (changed != last_) since_ = now;
  last_ = changed;
  for (const auto& entry : fs::directory_iterator(journal_, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix_)) continue;
    unsigned restart = 0;
    std::from_chars(name.data() + prefix_.size(), name.data() + name.size(), restart);
    if (restart > restart_) return name;
  }
  if (is_settled) seen_ = changed;
  return {};
}

}  // namespace kernmill::exec
