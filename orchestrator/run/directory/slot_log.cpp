#include "kernmill/run/directory/slot_log.hpp"

namespace kernmill {
namespace {

constexpr std::string_view mark_begin = "==> ";
constexpr std::string_view head_end = " begins what each instance of this slot wrote";

}  // namespace

std::string slot_log_head(const std::string& token) {
  return std::string(mark_begin) + token + std::string(head_end) + '\n';
}

std::string section_mark(std::string_view first_line) {
  const bool is_head = first_line.starts_with(mark_begin) && first_line.ends_with(head_end) &&
                       first_line.size() > mark_begin.size() + head_end.size();
  if (!is_head) return std::string(mark_begin);
  return std::string(first_line.substr(0, first_line.size() - head_end.size())) + ' ';
}

}  // namespace kernmill
