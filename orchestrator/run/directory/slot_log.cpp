#include "kernmill/run/directory/slot_log.hpp"

#include <fstream>

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

std::string section_title(const std::string& label, unsigned attempt) {
  return label + " attempt " + std::to_string(attempt);
}

void for_each_slot_line(const std::filesystem::path& log,
                        const std::function<void(const std::string& title, const std::string& line)>& take) {
  std::ifstream lines(log);
  std::string line, title;
  if (!std::getline(lines, line)) return;
  const std::string mark = section_mark(line);
  do {
    if (line.starts_with(mark))
      title = line.substr(mark.size());
    else
      take(title, line);
  } while (std::getline(lines, line));
}

}  // namespace kernmill
