#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "kernmill/base/table/csv.hpp"

using namespace kernmill;

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

/// Reads all records; their places have to lie in the text, and the cursor has to get on.
void walk(std::string_view text) {
  CsvCursor cursor(text, ',', 1);
  std::vector<CsvField> record;
  std::size_t before = 0;
  try {
    while (cursor.next(record)) {
      require(!record.empty() && cursor.position() > before && cursor.position() <= text.size());
      before = cursor.position();
      for (const CsvField& field : record) {
        require(field.raw.empty() || (field.raw.data() >= text.data() &&
                                      field.raw.data() + field.raw.size() <= text.data() + text.size()));
        double value = 0;
        parse_number(field.text(), value);
      }
    }
    require(cursor.position() == text.size());
  } catch (const CsvError& error) {
    require(error.place.line >= 1 && error.place.column >= 1);
  }
}

/// The ends of records, found one after another as ranks do.
void find_ends(std::string_view text) {
  bool in_quotes = false;
  while (!text.empty()) {
    const std::size_t end = end_of_record(text, in_quotes);
    if (end == std::string_view::npos) return;
    require(end > 0 && end <= text.size() && !in_quotes);
    text.remove_prefix(end);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  walk(text);
  find_ends(text);
  return 0;
}
