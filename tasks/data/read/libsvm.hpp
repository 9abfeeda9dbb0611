#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/libsvm_line.hpp"
#include "kernmill/tasks/data/read/record_files.hpp"

namespace kernmill::tasks {

/// Files in LIBSVM's format: a column `label`, then `f1` to the largest index that occurs (from `f0`, when
/// that occurs). What is not written is 0.
class SvmInput : public Input {
 public:
  /// Collective: the files are read once to find the largest index. With features `f1`, `f2` and so on in
  /// `known`, those are columns wherever the files end, and an index above them is a bad value.
  SvmInput(const Communicator& comm, const InputFiles& files, const std::vector<std::string>& known = {});
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                 std::size_t rows) const override;
  [[nodiscard]] RawTable read(const Communicator& comm, const Selection& selection,
                              const Buffer& buffer) const override;

 private:
  void know(const std::vector<std::string>& columns);
  template <class Work>
  void each_line(const Communicator& comm, const Work& work) const;
  void take(const SvmLine& line, const Selection& selection, const std::vector<std::size_t>& wanted,
            RejectedRow& bad, ValueJudge& judge, double* slots) const;

  RecordFiles records_;
  std::vector<std::string> names_;
  std::uint64_t first_index_ = 1, last_index_ = 0;
  std::optional<std::uint64_t> largest_known_;  ///< of the known ones
};

}  // namespace kernmill::tasks
