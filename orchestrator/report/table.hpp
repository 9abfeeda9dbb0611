#pragma once
#include <cstdint>
#include <string>
#include <string_view>
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
  void row(const std::vector<std::string>& cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Align> align_;
  std::string indent_, gap_;
  // A table may have a million rows: their text is one block.
  std::string text_;
  std::vector<std::uint32_t> cells_;  ///< bytes of each
  std::vector<std::uint32_t> rows_;   ///< cells of each
  std::vector<std::size_t> widths_;   ///< of each column
};

/// Columns that a text takes on a terminal.
std::size_t display_width(std::string_view text);
/// `text` with blanks up to `width` behind it, or before it.
std::string padded(const std::string& text, std::size_t width,
                   TextTable::Align align = TextTable::Align::left);

}  // namespace kernmill
