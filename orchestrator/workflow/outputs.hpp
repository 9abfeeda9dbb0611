#pragma once
#include <string>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// What a command promises to leave in $KERNMILL_OUTPUT.
struct DeclaredOutput {
  std::string name;     ///< of the artifact, and its path: as it was written, without a `/` at its end
  bool folder = false;  ///< it was written with one
  bool temp = false;    ///< it goes when nobody needs it any more
};

/// Of a text, or a map with `path`.
DeclaredOutput output_of(const Json& written);
/// Those that a command's config lists.
std::vector<DeclaredOutput> outputs_of(const Json& config);

}  // namespace kernmill
