#pragma once
#include <optional>

#include "kernmill/storage/sealed/key.hpp"
#include "kernmill/storage/transport/settings.hpp"

namespace kernmill::storage {

/// When the blocks of a plain table are compared with their checksums. (Those of an encrypted one are proved
/// whenever they are decrypted.)
enum class Verify {
  never,
  once,  ///< the first time that any byte of a block is read
};

/// How files are read.
struct Access {
  std::optional<Key> key;  ///< of encrypted files; with one, plain ones are refused
  Verify verify = Verify::once;
  TransportSettings transport{};
};

}  // namespace kernmill::storage
