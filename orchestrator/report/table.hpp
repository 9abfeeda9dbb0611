#pragma once
#include <string>
#include <vector>

namespace kernmill {

/// Lines whose columns are aligned; no trailing blanks. A cell's width is what it takes on a terminal: colour
/// sequences count nothing, a character beyond ASCII counts one.
class TextTable {
 public:
  enum class Align { left, right };
  /// One entry a column; further columns are left-aligned.
  explicit TextTable(std::vector<Align> align = {}, std::string indent = {}, std::string gap = "  ")
      : align_(std::move(align)), indent_(std::move(indent)), gap_(std::move(gap)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Align> align_;
  std::string indent_, gap_;
  std::vector<std::vector<std::string>> rows_;
};

/// Columns that a text takes on a terminal.
std::size_t display_width(const std::string& text);
/// `text` with blanks up to `width` behind it, or before it.
std::string padded(const std::string& text, std::size_t width,
                   TextTable::Align align = TextTable::Align::left);

}  // namespace kernmill
