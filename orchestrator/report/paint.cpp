#include "kernmill/report/paint.hpp"

#include <fmt/format.h>

namespace kernmill {
namespace {

int code(Color color) {
  switch (color) {
    case Color::red:
      return 31;
    case Color::green:
      return 32;
    case Color::yellow:
      return 33;
    case Color::blue:
      return 34;
    case Color::bold:
      return 1;
    case Color::dim:
      return 2;
  }
  return 0;
}

}  // namespace

std::string Paint::operator()(Color color, std::string_view text) const {
  if (!on_ || text.empty()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", code(color), text);
}

}  // namespace kernmill
