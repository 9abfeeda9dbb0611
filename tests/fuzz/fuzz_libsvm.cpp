#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernmill/tasks/data/read/libsvm_line.hpp"

using namespace kernmill::tasks;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  SvmLine line;
  const SvmMistake mistake = parse_svm_line(text, line);
  if (!mistake.reason.empty() && mistake.at + mistake.length > size) __builtin_trap();
  std::uint64_t last = 0;
  bool is_first = true;
  if (mistake.reason.empty())
    for (const auto& entry : line.entries) {
      if (!is_first && entry.index <= last) __builtin_trap();
      last = entry.index;
      is_first = false;
    }
  return 0;
}
