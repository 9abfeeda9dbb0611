#pragma once
#include <map>
#include <memory>

#include "kernmill/workflow/text/line_index.hpp"
#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// The lines of source files, each looked through once.
class SourceLines {
 public:
  const LineIndex& of(const std::shared_ptr<const SourceFile>& file);

 private:
  std::map<std::shared_ptr<const SourceFile>, LineIndex> known_;
};

/// The place of `length` bytes at `offset` of a string value.
Where place_in(const Value& value, std::size_t offset, std::size_t length, SourceLines& lines);

}  // namespace kernmill
