#include "kernmill/tasks/data/prepare/sparse_samples.hpp"

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr double sparse_below = 0.1;
constexpr std::uint64_t few_columns = 50;

/// The setting that needs whole rows; empty: none does.
std::string needs_whole_rows(const PreprocessSettings& settings) {
  if (settings.series) return "series";
  if (settings.scale != Scale::none) return "scale";
  if (settings.impute.with != Impute::none) return "impute";
  if (!settings.features.empty()) return "features";
  if (!settings.drop.empty()) return "drop";
  if (!settings.columns.empty()) return "columns";
  if (!settings.split.group.empty()) return "split.group";
  if (!settings.weight.empty()) return "sample_weight";
  if (settings.target && settings.target->column != "label") return "target";
  return "";
}

}  // namespace

SparseChoice choose_sparse(const Input& input, const PreprocessSettings& settings) {
  const auto* const svm = dynamic_cast<const SvmInput*>(&input);
  const std::string needed = needs_whole_rows(settings);
  if (settings.sparse == Sparse::always && svm == nullptr)
    throw TaskError(
        fmt::format("{} cannot be read as sparse rows: it is not in LIBSVM's format", input.name()), {},
        "leave out `sparse`");
  if (settings.sparse == Sparse::always && !needed.empty())
    throw TaskError(
        fmt::format("`{}` needs rows that hold every number, and `sparse` keeps what is not 0 alone", needed),
        {}, fmt::format("leave out `{}`, or set `sparse: false` where the rows fit into memory", needed));
  if (settings.sparse == Sparse::always) return {true};
  if (svm == nullptr || settings.sparse == Sparse::never) return {};
  const std::string share =
      fmt::format("{:.2g} % of {} columns is not 0", 100 * svm->density(), svm->columns());
  if (svm->columns() <= few_columns || svm->density() >= sparse_below) return {};
  if (needed.empty()) return {true, share + ": sparse rows (`sparse`)"};
  return {false, share + fmt::format(", but `{}` needs whole rows", needed)};
}

std::vector<std::vector<std::string>> SparseInput::first_rows(const Communicator& comm,
                                                              std::size_t rows) const {
  std::vector<std::vector<std::string>> table;
  for (std::string& label : svm_->first_labels(comm, rows)) table.push_back({std::move(label)});
  return table;
}

RawTable SparseInput::read(const Communicator& comm, const Selection& selection, const Buffer& buffer) const {
  auto [beside, features] = svm_->read_sparse(comm, selection, buffer, svm_->first_index(), limits_);
  if (keeps_) features_ = std::make_unique<SparseStore>(std::move(features));
  return std::move(beside);
}

SparseStore SparseInput::take_features() {
  keeps_ = false;
  return std::move(*features_);
}

std::vector<std::string> SparseInput::feature_names() const {
  if (svm_->columns() > most_sparse_columns)
    throw TaskError(
        fmt::format("{} has {} columns; {} is the most", name(), svm_->columns(), most_sparse_columns),
        name(), "number the columns anew, without those that are 0 everywhere");
  std::vector<std::string> names;
  names.reserve(svm_->columns());
  for (std::uint64_t i = 0; i < svm_->columns(); ++i) names.push_back(svm_->feature_name(i));
  return names;
}

}  // namespace kernmill::tasks
