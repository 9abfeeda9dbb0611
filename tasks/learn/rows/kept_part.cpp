#include "kernmill/tasks/learn/rows/kept_part.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace kernmill::tasks {

KeptPart::KeptPart(const Rows& rows, Loss loss)
    : rows_(&rows),
      loss_(loss),
      stored_(rows.count() * rows.stored_row_bytes()),
      target_(rows.count() * rows.targets()) {
  const auto begun = std::chrono::steady_clock::now();
  constexpr std::uint64_t at_once = 65'536;  // rows
  for (std::uint64_t first = 0; first < rows.count(); first += at_once) {
    const std::uint64_t count = std::min(at_once, rows.count() - first);
    rows.read_stored(
        {first, first + count},
        std::span(stored_).subspan(first * rows.stored_row_bytes(), count * rows.stored_row_bytes()),
        std::span(target_).subspan(first * rows.targets(), count * rows.targets()));
  }
  reading_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  reading_.bytes = bytes_of(rows);
}

Batch KeptPart::load(std::span<const std::uint64_t> numbers) {
  const std::uint64_t bytes = rows_->stored_row_bytes(), targets = rows_->targets();
  some_.resize(numbers.size() * bytes);
  now_.target.resize(numbers.size() * targets);
  now_.features.resize(numbers.size() * rows_->features());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::memcpy(some_.data() + i * bytes, stored_.data() + numbers[i] * bytes, bytes);
    std::copy_n(target_.data() + numbers[i] * targets, targets, now_.target.data() + i * targets);
  }
  rows_->decode(some_, now_.features);
  return batch_of(*rows_, loss_, now_);
}

}  // namespace kernmill::tasks
