#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernmill/tasks/data/read/array_header.hpp"

/// Reads a header of an array, and then as many elements as there are bytes for.
template <class Parse>
int read_array(const Parse& parse, const std::uint8_t* data, std::size_t size) {
  using namespace kernmill::tasks;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const ArrayHeader header = parse(bytes);
    if (header.shape.empty() || header.data_begin > size) __builtin_trap();
    const std::size_t room = (size - header.data_begin) / size_of(header.element);
    std::vector<double> values(room);
    to_doubles({bytes.data() + header.data_begin, room * size_of(header.element)}, header.element,
               header.big_endian, values);
  } catch (const ArrayError&) {
  }
  return 0;
}
