#pragma once
#include <string>
#include <vector>

#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/record_files.hpp"

namespace kernmill::tasks {

struct CsvFormat {
  char delimiter = ',';
  bool header = true;
};

/// "auto" is a tab for .tsv and .tab, else a comma. Throws TaskError when it is more than one character.
char delimiter_of(const std::string& setting, const std::filesystem::path& file);

/// The names of a CSV file's columns, and where its data begins.
struct CsvHeader {
  std::vector<std::string> names;  ///< c0, c1, ... for a file without a header
  std::uint64_t data_begin = 0;    ///< in bytes
  std::uint64_t data_line = 1;
};

/// Throws TaskError: empty, no text, columns without a name or with the same one.
CsvHeader read_csv_header(const InputFile& file, CsvFormat format);

/// CSV files one behind the other.
class CsvInput : public Input {
 public:
  /// Collective. Throws TaskError where the headers of the files disagree, too.
  CsvInput(const Communicator& comm, InputFiles files, CsvFormat format);

  [[nodiscard]] const std::vector<std::string>& names() const override { return headers_.front().names; }
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                 std::size_t rows) const override;
  [[nodiscard]] RawTable read(const Communicator& comm, const Selection& selection,
                              const Buffer& buffer) const override;

  /// Tests make its chunks small.
  [[nodiscard]] RecordFiles& records() { return records_; }

 private:
  InputFiles files_;
  CsvFormat format_;
  std::vector<CsvHeader> headers_;
  RecordFiles records_{{}, true};
};

}  // namespace kernmill::tasks
