#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kernmill::tasks {

/// Distinct texts in the order of their first appearance; a text's code is its place.
class Dictionary {
 public:
  Dictionary() = default;
  explicit Dictionary(const std::vector<std::string>& texts) {
    for (const auto& text : texts) code_of(text);
  }
  std::uint32_t code_of(std::string_view text) {
    if (!texts_.empty() && texts_[latest_] == text) return latest_;
    const auto found = codes_.find(text);
    if (found != codes_.end()) return latest_ = found->second;
    latest_ = static_cast<std::uint32_t>(texts_.size());
    codes_.emplace(texts_.emplace_back(text), latest_);
    return latest_;
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> codes_;
  std::uint32_t latest_ = 0;  ///< runs of the same text are common
};

}  // namespace kernmill::tasks
