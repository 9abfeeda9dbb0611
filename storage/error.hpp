#pragma once
#include <stdexcept>
#include <string>

namespace kernmill::storage {

/// A file that cannot be read or written: what, which file, why, and the way out, in one sentence or two.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace kernmill::storage
