#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernmill/base/table/numbers.hpp"

namespace kernmill::tasks {

/// Distinct texts in the order of their first appearance; a text's code is its place. Spellings of one number
/// (1 and 1.0, name_key says which) have one code, and are the text that was there first.
class Dictionary {
 public:
  Dictionary() = default;
  /// Each of `texts` has a code of its own, however alike they are.
  explicit Dictionary(const std::vector<std::string>& texts) {
    for (const auto& text : texts) add(text, name_key(text));
  }
  std::uint32_t code_of(std::string_view text) {
    if (!texts_.empty() && texts_[latest_] == text) return latest_;
    const auto found = codes_.find(text);
    if (found != codes_.end()) return latest_ = found->second;
    const std::string key = name_key(text);
    const auto alike = find_alike(text, key);
    if (!alike) return latest_ = add(text, key);
    latest_ = *alike;
    codes_.emplace(text, latest_);
    spellings_.emplace_back(text);
    return latest_;
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }
  /// Those that are not in texts(): they are other spellings.
  [[nodiscard]] const std::vector<std::string>& spellings() const { return spellings_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Codes = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;

  [[nodiscard]] std::optional<std::uint32_t> find_alike(std::string_view text, const std::string& key) const {
    if (const auto found = keys_.find(key); found != keys_.end()) return found->second;
    const auto found = key == text ? codes_.end() : codes_.find(key);
    return found == codes_.end() ? std::nullopt : std::optional(found->second);
  }
  std::uint32_t add(std::string_view text, const std::string& key) {
    const auto code = static_cast<std::uint32_t>(texts_.size());
    codes_.emplace(texts_.emplace_back(text), code);
    if (key != text) keys_.emplace(key, code);
    return code;
  }

  std::vector<std::string> texts_, spellings_;
  Codes codes_;
  Codes keys_;                ///< of the texts that are not their own key
  std::uint32_t latest_ = 0;  ///< runs of the same text are common
};

}  // namespace kernmill::tasks
