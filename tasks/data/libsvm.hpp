#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/tasks/data/input.hpp"
#include "kernmill/tasks/data/record_files.hpp"

namespace kernmill::tasks {

/// A line of LIBSVM's format: `label index:value index:value ... # comment`, indices rising. A `qid:` is
/// passed over. The views are into the line.
struct SvmLine {
  std::string_view label;
  struct Entry {
    std::uint64_t index;
    double value;
  };
  std::vector<Entry> entries;
};

/// What is wrong with a line, and where: the character it begins at, counted from 0.
struct SvmMistake {
  std::string reason;  ///< empty: nothing
  std::size_t at = 0, length = 0;
};

/// A line without its end. `line.label` is empty when there is nothing on it.
SvmMistake parse_svm_line(std::string_view text, SvmLine& line);

/// Files in LIBSVM's format: a column `label`, then `f1` to the largest index that occurs (from `f0`, when
/// that occurs). What is not written is 0.
class SvmInput : public Input {
 public:
  /// Collective: the files are read once to find the largest index.
  SvmInput(const Communicator& comm, const InputFiles& files);
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                 std::size_t rows) const override;
  [[nodiscard]] RawTable read(const Communicator& comm, const Selection& selection,
                              const Buffer& buffer) const override;

 private:
  template <class Work>
  void each_line(const Communicator& comm, const Work& work) const;
  void take(const SvmLine& line, const Selection& selection, const std::vector<std::size_t>& wanted,
            RejectedRow& bad, RawTable& table) const;

  RecordFiles records_;
  std::vector<std::string> names_;
  std::uint64_t first_index_ = 1;
};

}  // namespace kernmill::tasks
