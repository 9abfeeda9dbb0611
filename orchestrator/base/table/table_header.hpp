#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernmill/base/table/csv.hpp"

/// How a file of a table begins, and what its name says of it. The one reader of this: a check before a run
/// and the task of the run see the same.
namespace kernmill {

/// The bytes of a file from `offset` on: `count`, or fewer at its end.
using ReadBytes = std::function<std::string(std::uint64_t offset, std::uint64_t count)>;

/// Why a file is no table that can be read.
class TableError : public std::runtime_error {
 public:
  explicit TableError(const std::string& message, std::string place = {}, std::string advice = {})
      : std::runtime_error(message), where(std::move(place)), help(std::move(advice)) {}
  std::string where;  ///< "file:line:column", or empty
  std::string help;
};

/// The format that a setting says, or with "auto" the file's name: csv, libsvm, idx, npy, hdf5.
std::string format_of(const std::string& setting, const std::filesystem::path& file);

/// "auto" is a tab for .tsv and .tab and for `format: tsv`, else a comma, or a semicolon where `decimal` is a
/// comma. Throws TableError when the setting is more than one character, or the decimal comma.
char delimiter_of(const std::string& setting, const std::string& format, const std::filesystem::path& file,
                  char decimal = '.');

/// The sign in front of the decimals: a comma where the setting says one, else a point.
inline char decimal_of(std::string_view setting) {
  return setting == "," ? ',' : '.';
}

struct CsvFormat {
  char delimiter = ',';
  bool header = true;
  char decimal = '.';  ///< or a comma
};

/// The names of a CSV file's columns, and where its data begins.
struct CsvHeader {
  std::vector<std::string> names;  ///< c0, c1, ... for a file without a header
  std::uint64_t data_begin = 0;    ///< in bytes
  std::uint64_t data_line = 1;
};

/// Throws TableError: empty, no text, columns without a name or with the same one; a first line of more than
/// 16 MiB, or of more than 2^20 columns.
CsvHeader read_csv_header(const ReadBytes& read, const std::filesystem::path& file, CsvFormat format);

/// Whether a file begins as gzip's do.
bool begins_as_gzip(std::string_view bytes);

/// Where the text of a file begins: behind a byte order mark of UTF-8. `format` is what it should be ("CSV").
/// Throws TableError for text in another encoding, and for a file of another format.
std::uint64_t begin_of_text(std::string_view bytes, const std::filesystem::path& file,
                            std::string_view format);

}  // namespace kernmill
