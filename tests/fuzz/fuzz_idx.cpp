#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernmill/tasks/data/array_header.hpp"

using namespace kernmill::tasks;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const ArrayHeader header = parse_idx_header(bytes);
    if (header.shape.empty() || header.data_begin > size) __builtin_trap();
    const std::size_t room = (size - header.data_begin) / size_of(header.element);
    std::vector<double> values(room);
    to_doubles({bytes.data() + header.data_begin, room * size_of(header.element)}, header.element,
               header.big_endian, values);
  } catch (const ArrayError&) {
  }
  return 0;
}
