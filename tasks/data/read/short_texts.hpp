#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernmill/tasks/data/read/plain_decimal.hpp"

namespace kernmill::tasks {

/// What texts of a column of categories have been judged to be: a few of them, none of more than 16
/// characters. Most columns of categories have no others.
class ShortTexts {
 public:
  /// Up to 16 characters, which are comparable at once.
  struct Text {
    std::uint64_t low = 0, high = 0;
    std::size_t length = 0;
    friend bool operator==(const Text&, const Text&) = default;
  };
  /// Nothing of a longer one, or where fewer than 16 bytes are readable.
  static std::optional<Text> text_of(std::string_view text, const char* end) {
    if (text.empty() || text.size() > 16 || end - text.data() < 16) return std::nullopt;
    const auto kept = [](std::uint64_t bytes, std::size_t count) {
      return count >= 8 ? bytes : bytes & ((std::uint64_t{1} << (8 * count)) - 1);
    };
    return Text{kept(eight_characters(text.data()), text.size()),
                text.size() > 8 ? kept(eight_characters(text.data() + 8), text.size() - 8) : 0, text.size()};
  }

  /// Null: it was not judged, or has been forgotten.
  [[nodiscard]] const double* find(const Text& text) const {
    const Entry& entry = entries_[place_of(text)];
    return entry.text == text ? &entry.value : nullptr;
  }
  void keep(const Text& text, double value) { entries_[place_of(text)] = {text, value}; }

 private:
  struct Entry {
    Text text{};
    double value = 0;
  };
  static std::size_t place_of(const Text& text) {
    return static_cast<std::size_t>(((text.low ^ (text.high * 31) ^ text.length) * 0x9E3779B97F4A7C15) >>
                                    56U);
  }
  std::array<Entry, 256> entries_{};
};

}  // namespace kernmill::tasks
