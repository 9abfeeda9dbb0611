#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// CSV as RFC 4180 has it: quoted fields, doubled quotes, line breaks inside quotes, CRLF or LF, with or
/// without a last one. Blank lines are skipped. Pure functions of bytes: no file, no communication.
namespace kernmill {

/// Lines and columns count from 1, columns in characters of UTF-8.
struct CsvPlace {
  std::uint64_t line = 1, column = 1;
};

struct CsvField {
  std::string_view raw;  ///< without the enclosing quotes; a quote inside is still doubled
  bool quoted = false;
  CsvPlace place;
  /// What the author meant: doubled quotes single; spaces around an unquoted field gone.
  [[nodiscard]] std::string text() const;
};

/// The text is no CSV: an unclosed quote, or text around a quoted field.
class CsvError : public std::runtime_error {
 public:
  CsvError(const std::string& message, CsvPlace at) : std::runtime_error(message), place(at) {}
  CsvPlace place;
};

/// Walks over whole records. The views in a record are into the text.
class CsvCursor {
 public:
  CsvCursor(std::string_view text, char delimiter, std::uint64_t first_line)
      : text_(text), delimiter_(delimiter), place_{first_line, 1} {}
  /// False at the end. Throws CsvError.
  bool next(std::vector<CsvField>& record);
  /// Where the next record begins.
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::uint64_t line() const { return place_.line; }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] bool at_line_end() const;
  void step();
  void skip_line_end();
  void skip_blank_lines();
  CsvField field();
  CsvField quoted_field();

  std::string_view text_;
  char delimiter_;
  std::size_t at_ = 0;
  CsvPlace place_;
};

/// The position behind the first line break that is not inside quotes, or npos. `in_quotes` says how `text`
/// begins, and then how it ends.
std::size_t end_of_record(std::string_view text, bool& in_quotes);

/// A text as a field of a CSV file, quoted when it has to be, so that CsvCursor reads the same.
std::string csv_field(std::string_view text);

/// Whether bytes are text of UTF-8: RFC 3629, no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

/// Why a field is no finite number; empty when it is one (in `value`). A leading '+' is fine, and so are
/// spaces around.
std::string parse_number(std::string_view text, double& value);

}  // namespace kernmill
