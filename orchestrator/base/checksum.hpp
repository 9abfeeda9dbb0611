#pragma once
#include <string>
#include <string_view>

namespace kernmill {

/// CRC-32 (that of zlib and gzip) of a text, in eight hex digits: finds accidents, not forgers.
std::string checksum(std::string_view text);

}  // namespace kernmill
