#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "kernmill/storage/transport/file_system.hpp"
#include "kernmill/storage/transport/settings.hpp"

namespace kernmill::storage {

using Hints = std::map<std::string, std::string>;

/// What ROMIO is told of how to write and read a file. The settings' own hints go before these.
///
/// A rank's bytes are contiguous and many. On a parallel file system ranks hand them to one writer a node
/// (collective buffering), whose writes are large and in nobody's way; on a local one each writes its own.
/// Data sieving, which reads what lies between a rank's pieces and writes it back, is off: it would write
/// back what another node has changed meanwhile.
Hints hints_for(FileSystem file_system, int nodes, const TransportSettings& settings = {});

/// Of what MPI-IO made of the hints: how much the ranks together write in one call, so that each writer of
/// collective buffering writes once. 0 where there is none.
std::uint64_t window_of(const Hints& hints);

}  // namespace kernmill::storage
