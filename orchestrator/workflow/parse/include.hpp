#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "kernmill/workflow/parse/parser.hpp"

namespace kernmill {

/// What a workflow is made of.
struct WholeWorkflow {
  Value root;                        ///< a map, without `include` and `x-...`
  std::vector<SourceFile> included;  ///< in the order in which they are named
};

/// Puts in the keys of the files that `include:` names, and takes out keys that begin with `x-`. Of `params`,
/// `defaults` and `stages` the names are put together; nothing may stand twice. Mistakes are diagnostics,
/// each in its own file.
WholeWorkflow with_included(Value root, const Files& files, Diagnostics& diagnostics);

/// A file as it is read.
std::shared_ptr<const SourceFile> without_byte_order_mark(SourceFile source);

}  // namespace kernmill
