#include "kernmill/base/checksum.hpp"

#include <fmt/format.h>
#include <zlib.h>

namespace kernmill {

std::string checksum(std::string_view text) {
  return fmt::format("{:08x}", crc32_of(text));
}

std::uint32_t crc32_of(std::string_view text, std::uint32_t before) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  return static_cast<std::uint32_t>(::crc32_z(before, bytes, text.size()));
}

}  // namespace kernmill
