#pragma once
#include <memory>
#include <string>

#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/read/libsvm.hpp"

namespace kernmill::tasks {

/// Whether the rows of an input become sparse rows of a dataset, and why, or why not. Throws TaskError where
/// the settings ask for sparse rows and for what needs whole ones.
struct SparseChoice {
  bool sparse = false;
  std::string reason{};  ///< for people; empty where there is nothing to say
};
SparseChoice choose_sparse(const Input& input, const PreprocessSettings& settings);

/// The labels of LIBSVM input as an input of their own; what is not 0 of the rows is kept when they are read
/// for the first time.
class SparseInput : public Input {
 public:
  explicit SparseInput(const SvmInput& svm) : svm_(&svm) {}
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] std::string name() const override { return svm_->name(); }
  [[nodiscard]] std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                 std::size_t rows) const override;
  [[nodiscard]] RawTable read(const Communicator& comm, const Selection& selection,
                              const Buffer& buffer) const override;
  /// The features of the rows that were read last. From then on nothing is kept.
  [[nodiscard]] SparseStore take_features();
  [[nodiscard]] std::vector<std::string> feature_names() const;

 private:
  const SvmInput* svm_;
  std::vector<std::string> names_{"label"};
  mutable std::unique_ptr<SparseStore> features_;
  bool keeps_ = true;
};

}  // namespace kernmill::tasks
