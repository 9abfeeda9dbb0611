#include "kernmill/base/checksum.hpp"

#include <fmt/format.h>
#include <zlib.h>

namespace kernmill {

std::string checksum(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  return fmt::format("{:08x}", ::crc32_z(0, bytes, text.size()));
}

}  // namespace kernmill
