#pragma once
#include <algorithm>
#include <string_view>
#include <vector>

#include "kernmill/workflow/text/source.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {

/// Turns byte offsets of a text into lines and columns, and back.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
      starts_.push_back(at + 1);
  }

  /// The byte offset of a 0-based line and a 0-based column in bytes.
  [[nodiscard]] std::size_t offset(std::size_t line, std::size_t byte_column) const {
    if (line >= starts_.size()) return text_.size();
    return std::min(starts_[line] + byte_column, text_.size());
  }

  /// The byte offset of a place.
  [[nodiscard]] std::size_t offset(const Where& where) const {
    std::size_t at = offset(where.line - 1, 0);
    for (std::uint32_t column = 1; column < where.column && at < text_.size(); ++column) {
      const auto point = decode(text_.substr(at));
      at += point ? point->bytes : 1;
    }
    return at;
  }

  /// The place of the `bytes` bytes at `offset`, cut at the end of their line.
  [[nodiscard]] Where where(std::shared_ptr<const SourceFile> file, std::size_t offset,
                            std::size_t bytes) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const std::size_t line = static_cast<std::size_t>(next - starts_.begin());
    const std::size_t start = starts_[line - 1];
    std::string_view span = text_.substr(std::min(offset, text_.size()), bytes);
    span = span.substr(0, span.find_first_of("\r\n"));
    const auto count = [](std::string_view s) { return static_cast<std::uint32_t>(character_count(s)); };
    return {std::move(file), static_cast<std::uint32_t>(line), count(text_.substr(start, offset - start)) + 1,
            std::max(count(span), 1u)};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

}  // namespace kernmill
