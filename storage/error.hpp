#pragma once
#include <stdexcept>
#include <string>

namespace kernmill::storage {

/// A file that cannot be read or written: what, which file, why, and the way out, in one sentence or two.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An encrypted file and no key, or another one: nothing is wrong with the file.
class KeyError : public Error {
 public:
  using Error::Error;
};

}  // namespace kernmill::storage
