#pragma once
#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/packed.hpp"

namespace kernmill::storage {

/// Private to storage/. Collective: what `make` gives on rank 0, on every rank; when it throws Error there,
/// every rank throws.
template <class Make>
auto from_root(MPI_Comm comm, const Make& make) {
  std::string bytes;
  agree_on_root(comm, [&] { bytes = packed(make()); });
  broadcast(comm, bytes);
  return unpacked<decltype(make())>(bytes);
}

}  // namespace kernmill::storage
