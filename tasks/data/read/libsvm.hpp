#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/libsvm_line.hpp"
#include "kernmill/tasks/data/read/record_files.hpp"
#include "kernmill/tasks/data/store/sparse_store.hpp"

namespace kernmill::tasks {

/// Files in LIBSVM's format: a column `label`, then `f1` to the largest index that occurs (from `f0`, when
/// that occurs). What is not written is 0.
///
/// Rows are read whole, or (read_sparse) as what is not 0.
class SvmInput : public Input {
 public:
  /// Collective: the files are read once to find the largest index. With features `f1`, `f2` and so on in
  /// `known`, those are columns wherever the files end, and an index above them is a bad value.
  SvmInput(const Communicator& comm, const InputFiles& files, const std::vector<std::string>& known = {});
  /// Throws TaskError where there are too many columns for whole rows.
  [[nodiscard]] const std::vector<std::string>& names() const override;
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                 std::size_t rows) const override;
  [[nodiscard]] RawTable read(const Communicator& comm, const Selection& selection,
                              const Buffer& buffer) const override;

  /// Collective. As many as `rows` or fewer, on every rank.
  [[nodiscard]] std::vector<std::string> first_labels(const Communicator& comm, std::size_t rows) const;
  [[nodiscard]] std::uint64_t first_index() const { return first_index_; }
  [[nodiscard]] std::uint64_t columns() const { return last_index_ + 1 - first_index_; }
  /// Which share of the values is not 0.
  [[nodiscard]] double density() const;
  /// "fN" of a column, 0 the first.
  [[nodiscard]] std::string feature_name(std::uint64_t column) const;

  /// What is wanted of each row besides its features: nothing, or its label.
  struct SparseTable {
    RawTable beside;
    SparseStore features;
  };
  /// Collective. As read. `beside` wants the column 0, or none. `first` is the index of the first column:
  /// lower ones are passed over.
  [[nodiscard]] SparseTable read_sparse(const Communicator& comm, const Selection& beside,
                                        const Buffer& buffer, std::uint64_t first) const;

 private:
  struct SparseRow;
  void know(const std::vector<std::string>& columns);
  template <class Work>
  void each_line(const Communicator& comm, const Work& work) const;
  void take(const SvmLine& line, const Selection& selection, const std::vector<std::size_t>& wanted,
            RejectedRow& bad, ValueJudge& judge, double* slots) const;
  void take_sparse(const SvmLine& line, const Selection& beside, std::uint64_t first, ValueJudge& judge,
                   RejectedRow& bad, double* slots, SparseRow& row) const;
  static RejectedRow mistake_in(const SvmMistake& mistake, std::string_view text, const std::string& file,
                                std::uint64_t line);
  static void reject(RejectedRow bad, const Selection& selection, RawTable& table);
  [[nodiscard]] bool is_known(std::uint64_t index, RejectedRow& bad) const;

  RecordFiles records_;
  mutable std::vector<std::string> names_;  ///< made when they are asked for
  std::uint64_t rows_ = 0, entries_ = 0;
  std::uint64_t first_index_ = 1, last_index_ = 0;
  std::optional<std::uint64_t> largest_known_;  ///< of the known ones
};

}  // namespace kernmill::tasks
