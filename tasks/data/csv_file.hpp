#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/csv.hpp"

namespace kernmill::tasks {

struct CsvFormat {
  char delimiter = ',';
  bool header = true;
};

/// "auto" is a tab for .tsv and .tab, else a comma. Throws TaskError when it is more than one character.
char delimiter_of(const std::string& setting, const std::filesystem::path& file);

/// The names of a CSV file's columns, and where its data begins.
struct CsvHeader {
  std::filesystem::path file;
  CsvFormat format;
  std::vector<std::string> names;  ///< c0, c1, ... for a file without a header
  std::uint64_t data_begin = 0;    ///< in bytes
  std::uint64_t data_line = 1;
  std::uint64_t size = 0;  ///< of the file, in bytes
};

/// Collective; one rank reads. Throws TaskError: no such file, empty, no text, columns without a name or with
/// the same one.
CsvHeader read_csv_header(const Communicator& comm, const std::filesystem::path& file, CsvFormat format);

/// The whole records that begin in a rank's part of the bytes.
struct CsvShare {
  std::string text;
  std::uint64_t first_line = 1;
};

/// Collective. The bytes are split evenly; which of them lie inside quotes is found out together, so that a
/// line break in a quoted field never splits a record.
CsvShare read_csv_share(const Communicator& comm, const CsvHeader& header);

/// "file:line:column".
std::string at(const std::filesystem::path& file, CsvPlace place);

}  // namespace kernmill::tasks
