#include "kernmill/tasks/learn/rows/kept_part.hpp"

#include <algorithm>
#include <chrono>

namespace kernmill::tasks {

KeptPart::KeptPart(const Rows& rows, Loss loss)
    : rows_(&rows),
      stored_(rows.count() * rows.stored_row_bytes()),
      target_(rows.count() * rows.target_width()),
      gathered_(rows, loss) {
  const auto begun = std::chrono::steady_clock::now();
  constexpr std::uint64_t at_once = 65'536;  // rows
  for (std::uint64_t first = 0; first < rows.count(); first += at_once) {
    const std::uint64_t count = std::min(at_once, rows.count() - first);
    rows.read_stored(
        {first, first + count},
        std::span(stored_).subspan(first * rows.stored_row_bytes(), count * rows.stored_row_bytes()),
        std::span(target_).subspan(first * rows.target_width(), count * rows.target_width()));
  }
  reading_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  reading_.bytes = bytes_of(rows);
}

Batch KeptPart::load(std::span<const std::uint64_t> numbers) {
  return gathered_(numbers, [&](std::uint64_t row) {
    return StoredRow{stored_.data() + row * rows_->stored_row_bytes(),
                     target_.data() + row * rows_->target_width()};
  });
}

}  // namespace kernmill::tasks
