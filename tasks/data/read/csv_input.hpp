#pragma once
#include <string>
#include <vector>

#include "kernmill/base/table/table_header.hpp"
#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/record_files.hpp"

namespace kernmill::tasks {

/// As the header's own reader. Throws TaskError.
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
