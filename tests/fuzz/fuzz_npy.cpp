#include "fuzz_array_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return read_array(kernmill::tasks::parse_npy_header, data, size);
}
