#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace kernmill {

/// CRC-32 (that of zlib and gzip) of a text, in eight hex digits: finds accidents, not forgers.
std::string checksum(std::string_view text);

/// The same as a number; that of a text which follows one of the checksum `before` is of both together.
std::uint32_t crc32_of(std::string_view text, std::uint32_t before = 0);

}  // namespace kernmill
