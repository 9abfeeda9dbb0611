#pragma once
#include <string>
#include <string_view>

namespace kernmill {

enum class Color { red, green, yellow, blue, bold, dim };

/// Colours text for a terminal, or leaves it as it is.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string operator()(Color color, std::string_view text) const;
  [[nodiscard]] bool on() const { return on_; }

 private:
  bool on_;
};

}  // namespace kernmill
