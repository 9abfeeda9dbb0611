#pragma once
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

#include "kernmill/workflow/text/source.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {

/// Turns byte offsets of a text into lines and columns, and back, each in O(log n), however long a line is.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text) : text_(text) {
    starts_.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
    starts_.push_back(0);
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
      starts_.push_back(static_cast<std::uint32_t>(at + 1));
    for (std::size_t at = 0; at < text.size();) {
      const auto point = static_cast<unsigned char>(text[at]) < 0x80 ? std::nullopt : decode(text.substr(at));
      const std::size_t bytes = point ? point->bytes : 1;
      at += bytes;
      if (bytes > 1)
        long_.push_back({static_cast<std::uint32_t>(at),
                         static_cast<std::uint32_t>((long_.empty() ? 0 : long_.back().more) + bytes - 1)});
    }
  }

  /// The byte offset of a 0-based line and a 0-based column in bytes.
  [[nodiscard]] std::size_t offset(std::size_t line, std::size_t byte_column) const {
    if (line >= starts_.size()) return text_.size();
    return std::min(starts_[line] + byte_column, text_.size());
  }

  /// The byte offset of a place.
  [[nodiscard]] std::size_t offset(const Where& where) const {
    const std::size_t character = characters_before(offset(where.line - 1, 0)) + where.column - 1;
    const auto next = std::partition_point(
        long_.begin(), long_.end(), [&](const LongCharacter& c) { return c.end - c.more <= character; });
    return std::min(character + (next == long_.begin() ? 0 : std::prev(next)->more), text_.size());
  }

  /// The place of the `bytes` bytes at `offset`, cut at the end of their line.
  [[nodiscard]] Where where(std::shared_ptr<const SourceFile> file, std::size_t offset,
                            std::size_t bytes) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const std::size_t line = static_cast<std::size_t>(next - starts_.begin());
    const std::size_t start = starts_[line - 1];
    std::string_view span = text_.substr(std::min(offset, text_.size()), bytes);
    span = span.substr(0, span.find_first_of("\r\n"));
    const std::size_t column = characters_before(offset) - characters_before(start) + 1;
    return {std::move(file), static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column),
            std::max(static_cast<std::uint32_t>(character_count(span)), 1U)};
  }

 private:
  /// A character of several bytes: where it ends, and how many bytes more than one all up to it have.
  struct LongCharacter {
    std::uint32_t end = 0, more = 0;
  };

  [[nodiscard]] std::size_t characters_before(std::size_t offset) const {
    const auto next = std::partition_point(long_.begin(), long_.end(),
                                           [&](const LongCharacter& c) { return c.end <= offset; });
    return offset - (next == long_.begin() ? 0 : std::prev(next)->more);
  }

  std::string_view text_;
  std::vector<std::uint32_t> starts_;  ///< texts are far below 4 GiB
  std::vector<LongCharacter> long_;
};

}  // namespace kernmill
