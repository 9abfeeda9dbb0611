#include "kernmill/report/table.hpp"

#include <algorithm>

namespace kernmill {

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      i = std::min(text.find('m', i), text.size() - 1);
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      ++width;
    }
  }
  return width;
}

std::string padded(const std::string& text, std::size_t width, TextTable::Align align) {
  const std::size_t taken = display_width(text);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  return align == TextTable::Align::left ? text + blanks : blanks + text;
}

void TextTable::row(const std::vector<std::string>& cells) {
  widths_.resize(std::max(widths_.size(), cells.size()));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], display_width(cells[i]));
    text_ += cells[i];
    cells_.push_back(static_cast<std::uint32_t>(cells[i].size()));
  }
  rows_.push_back(static_cast<std::uint32_t>(cells.size()));
}

std::string TextTable::text() const {
  std::string text;
  std::string_view rest = text_;
  auto bytes = cells_.begin();
  for (const std::uint32_t cells : rows_) {
    const std::size_t begin = text.size();
    text += indent_;
    for (std::size_t i = 0; i < cells; ++i, ++bytes) {
      const std::string_view cell = rest.substr(0, *bytes);
      rest.remove_prefix(*bytes);
      if (i > 0) text += gap_;
      const bool is_left = i >= align_.size() || align_[i] == Align::left;
      const std::size_t blanks = widths_[i] - display_width(cell);
      if (!is_left) text.append(blanks, ' ');
      text += cell;
      if (is_left && i + 1 < cells) text.append(blanks, ' ');
    }
    text.resize(std::max(begin, text.find_last_not_of(' ') + 1));
    text += '\n';
  }
  return text;
}

}  // namespace kernmill
