#pragma once
#include <optional>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/packed.hpp"

namespace kernmill::storage {

/// Private to storage/. Collective: what `make` gives on rank 0, on every rank; when it throws Error there,
/// every rank throws.
template <class Make>
auto from_root(MPI_Comm comm, const Make& make) {
  using Made = decltype(make());
  if (size_of(comm) == 1) {  // nothing to send: it is in memory once
    std::optional<Made> made;
    agree(comm, [&] { made.emplace(make()); });
    return std::move(*made);
  }
  std::string bytes;
  agree_on_root(comm, [&] { bytes = packed(make()); });
  broadcast(comm, bytes);
  return unpacked<Made>(bytes);
}

}  // namespace kernmill::storage
