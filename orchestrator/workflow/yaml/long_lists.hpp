#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// A list of very many plain values, `[0.1, 0.2, ...]` or `- 0.1` on lines of their own, by its place in a
/// text. It is read here: yaml-cpp keeps some hundred bytes of each value.
struct LongList {
  std::size_t begin = 0;  ///< of what is left out, in bytes
  std::size_t end = 0;    ///< behind that
  std::size_t place = 0;  ///< of the list as people see it: its bracket, or its first dash
  std::size_t item_count = 0;
};

/// What may be such lists: it has to be compared with how YAML understands the rest of the text.
std::vector<LongList> find_long_lists(std::string_view text);

/// The text with ` []` in place of each list.
std::string without_lists(std::string_view text, const std::vector<LongList>& lists);

/// The place in the whole text of what is at `offset` without the lists.
std::size_t place_in_whole(std::size_t offset, const std::vector<LongList>& lists);

/// The values of a list in `file`, whose text it was found in; `first` is the place of `list.place`.
Value::List read_long_list(const std::shared_ptr<const SourceFile>& file, const LongList& list,
                           const Where& first);

}  // namespace kernmill
